// Headers and entries to bytes and back.
#include "broker/journal/format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "broker/journal/checksum.h"

namespace assay::journal {
namespace {

// Where the fields stand. The first 16 bytes and the last 4 of a segment header and a manifest keep
// their places in every version, so that an older assay can say whose bytes it met.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kSegmentNumberAt = 12;
constexpr std::size_t kSegmentJournalAt = 16;
constexpr std::size_t kSegmentSaltAt = 24;
constexpr std::size_t kSegmentFirstAt = 32;
constexpr std::size_t kSegmentFlagsAt = 40;
constexpr std::size_t kSegmentChecksumAt = kSegmentHeaderBytes - 4;

constexpr std::size_t kBatchSaltAt = 0;
constexpr std::size_t kBatchSequenceAt = 8;
constexpr std::size_t kBatchDurableAt = 16;
constexpr std::size_t kBatchLengthAt = 24;
constexpr std::size_t kBatchEntriesAt = 28;
constexpr std::size_t kBatchKindAt = 32;
constexpr std::size_t kBatchPayloadChecksumAt = 36;
constexpr std::size_t kBatchChecksumAt = kBatchHeaderBytes - 4;

constexpr std::size_t kManifestOldestAt = 12;
constexpr std::size_t kManifestJournalAt = 16;
constexpr std::size_t kManifestSequenceAt = 24;
constexpr std::size_t kManifestOrphansAt = 32;
constexpr std::size_t kManifestChecksumAt = kManifestBytes - 4;

std::optional<Malformed> check(std::string_view bytes, std::size_t size, std::string_view what) {
  if (bytes.size() < size) {
    return Malformed{.what = "expected a " + std::string(what) + " of " + std::to_string(size) +
                             " bytes, found " + std::to_string(bytes.size())};
  }
  const std::size_t checksum_at = size - 4;
  const std::uint32_t found = load_u32(bytes.data() + checksum_at);
  const std::uint32_t expected = crc32c(bytes.substr(0, checksum_at));
  if (found != expected) {
    return Malformed{.what = "expected a " + std::string(what) + " with checksum " +
                             hexadecimal(expected) + ", found " + hexadecimal(found)};
  }
  return std::nullopt;
}

std::optional<Malformed> check_magic(std::string_view bytes, std::string_view magic,
                                     std::string_view what) {
  if (!bytes.starts_with(magic)) {
    return Malformed{.what = "expected a " + std::string(what) + " that starts with \"" +
                             std::string(magic) + "\", found other bytes"};
  }
  return std::nullopt;
}

std::optional<Malformed> check_version(std::string_view bytes, std::string_view what) {
  const std::uint32_t version = load_u32(bytes.data() + kVersionAt);
  if (version == kFormatVersion) {
    return std::nullopt;
  }
  return Malformed{.what = "expected a " + std::string(what) + " of journal version " +
                           std::to_string(kFormatVersion) + ", found version " +
                           std::to_string(version),
                   .newer_version = version > kFormatVersion};
}

std::optional<Malformed> check_all(std::string_view bytes, std::size_t size, std::string_view magic,
                                   std::string_view what) {
  std::optional<Malformed> malformed = check_magic(bytes, magic, what);
  malformed = malformed ? malformed : check(bytes, size, what);
  return malformed ? malformed : check_version(bytes, what);
}

}  // namespace

std::uint32_t load_u32(const char* from) {
  std::array<unsigned char, 4> byte{};
  std::memcpy(byte.data(), from, byte.size());
  return static_cast<std::uint32_t>(byte[0]) | static_cast<std::uint32_t>(byte[1]) << 8 |
         static_cast<std::uint32_t>(byte[2]) << 16 | static_cast<std::uint32_t>(byte[3]) << 24;
}

std::uint64_t load_u64(const char* from) {
  return load_u32(from) | static_cast<std::uint64_t>(load_u32(from + 4)) << 32;
}

void store_u32(std::uint32_t value, char* to) {
  const std::array<unsigned char, 4> byte{
      static_cast<unsigned char>(value), static_cast<unsigned char>(value >> 8),
      static_cast<unsigned char>(value >> 16), static_cast<unsigned char>(value >> 24)};
  std::memcpy(to, byte.data(), byte.size());
}

void store_u64(std::uint64_t value, char* to) {
  store_u32(static_cast<std::uint32_t>(value), to);
  store_u32(static_cast<std::uint32_t>(value >> 32), to + 4);
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%08llx", static_cast<unsigned long long>(value));
  return text.data();
}

void encode(const SegmentHeader& header, std::span<char, kSegmentHeaderBytes> into) {
  std::fill(into.begin(), into.end(), '\0');
  kSegmentMagic.copy(into.data(), kSegmentMagic.size());
  store_u32(header.version, &into[kVersionAt]);
  store_u32(header.number, &into[kSegmentNumberAt]);
  store_u64(header.journal_id, &into[kSegmentJournalAt]);
  store_u64(header.salt, &into[kSegmentSaltAt]);
  store_u64(header.first_sequence, &into[kSegmentFirstAt]);
  store_u32(header.recycled ? kSegmentRecycledFlag : 0, &into[kSegmentFlagsAt]);
  store_u32(crc32c({into.data(), kSegmentChecksumAt}), &into[kSegmentChecksumAt]);
}

void encode(const BatchHeader& header, std::span<char, kBatchHeaderBytes> into) {
  std::fill(into.begin(), into.end(), '\0');
  store_u64(header.salt, &into[kBatchSaltAt]);
  store_u64(header.sequence, &into[kBatchSequenceAt]);
  store_u64(header.durable, &into[kBatchDurableAt]);
  store_u32(header.length, &into[kBatchLengthAt]);
  store_u32(header.entries, &into[kBatchEntriesAt]);
  store_u32(static_cast<std::uint32_t>(header.kind), &into[kBatchKindAt]);
  store_u32(header.payload_checksum, &into[kBatchPayloadChecksumAt]);
  store_u32(crc32c({into.data(), kBatchChecksumAt}), &into[kBatchChecksumAt]);
}

void encode(const Manifest& manifest, std::span<char, kManifestBytes> into) {
  std::fill(into.begin(), into.end(), '\0');
  kManifestMagic.copy(into.data(), kManifestMagic.size());
  store_u32(manifest.version, &into[kVersionAt]);
  store_u32(manifest.oldest_segment, &into[kManifestOldestAt]);
  store_u64(manifest.journal_id, &into[kManifestJournalAt]);
  store_u64(manifest.oldest_sequence, &into[kManifestSequenceAt]);
  store_u64(manifest.orphans_through, &into[kManifestOrphansAt]);
  store_u32(crc32c({into.data(), kManifestChecksumAt}), &into[kManifestChecksumAt]);
}

Decoded<SegmentHeader> decode_segment_header(std::string_view bytes) {
  const auto malformed = check_all(bytes, kSegmentHeaderBytes, kSegmentMagic, "segment header");
  if (malformed) {
    return {std::nullopt, *malformed};
  }
  SegmentHeader header;
  header.version = load_u32(&bytes[kVersionAt]);
  header.number = load_u32(&bytes[kSegmentNumberAt]);
  header.journal_id = load_u64(&bytes[kSegmentJournalAt]);
  header.salt = load_u64(&bytes[kSegmentSaltAt]);
  header.first_sequence = load_u64(&bytes[kSegmentFirstAt]);
  header.recycled = (load_u32(&bytes[kSegmentFlagsAt]) & kSegmentRecycledFlag) != 0;
  return {header, {}};
}

Decoded<BatchHeader> decode_batch_header(std::string_view bytes) {
  if (const auto malformed = check(bytes, kBatchHeaderBytes, "batch header")) {
    return {std::nullopt, *malformed};
  }
  BatchHeader header;
  header.salt = load_u64(&bytes[kBatchSaltAt]);
  header.sequence = load_u64(&bytes[kBatchSequenceAt]);
  header.durable = load_u64(&bytes[kBatchDurableAt]);
  header.length = load_u32(&bytes[kBatchLengthAt]);
  header.entries = load_u32(&bytes[kBatchEntriesAt]);
  header.kind = static_cast<BatchKind>(load_u32(&bytes[kBatchKindAt]));
  header.payload_checksum = load_u32(&bytes[kBatchPayloadChecksumAt]);
  return {header, {}};
}

Decoded<Manifest> decode_manifest(std::string_view bytes) {
  if (const auto malformed = check_all(bytes, kManifestBytes, kManifestMagic, "manifest")) {
    return {std::nullopt, *malformed};
  }
  Manifest manifest;
  manifest.version = load_u32(&bytes[kVersionAt]);
  manifest.oldest_segment = load_u32(&bytes[kManifestOldestAt]);
  manifest.journal_id = load_u64(&bytes[kManifestJournalAt]);
  manifest.oldest_sequence = load_u64(&bytes[kManifestSequenceAt]);
  manifest.orphans_through = load_u64(&bytes[kManifestOrphansAt]);
  return {manifest, {}};
}

char* encode_entry(std::string_view head, std::string_view blob, char* to) {
  store_u32(static_cast<std::uint32_t>(head.size()), to);
  to += 4;
  to = std::copy(head.begin(), head.end(), to);
  store_u32(static_cast<std::uint32_t>(blob.size()), to);
  to += 4;
  if (!blob.empty()) {
    store_u32(crc32c(blob), to);
    to = std::copy(blob.begin(), blob.end(), to + kBlobChecksumBytes);
  }
  return to;
}

std::optional<RawEntry> EntryCursor::next() {
  const std::size_t left = payload_.size() - at_;
  if (left < kEntryBytesMin) {
    return std::nullopt;
  }
  const std::uint32_t head_length = load_u32(payload_.data() + at_);
  if (head_length > left - kEntryBytesMin) {
    return std::nullopt;
  }
  RawEntry entry;
  entry.head = payload_.substr(at_ + 4, head_length);
  const std::size_t blob_length_at = at_ + 4 + head_length;
  const std::uint32_t blob_length = load_u32(payload_.data() + blob_length_at);
  const std::size_t after_length = blob_length_at + 4;
  if (blob_length == 0) {
    entry.blob_offset = static_cast<std::uint32_t>(after_length);
    at_ = after_length;
    return entry;
  }
  if (payload_.size() - after_length < kBlobChecksumBytes ||
      blob_length > payload_.size() - after_length - kBlobChecksumBytes) {
    return std::nullopt;
  }
  entry.blob_offset = static_cast<std::uint32_t>(after_length + kBlobChecksumBytes);
  entry.blob = payload_.substr(entry.blob_offset, blob_length);
  at_ = entry.blob_offset + blob_length;
  return entry;
}

}  // namespace assay::journal
