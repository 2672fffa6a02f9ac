#include "broker/history/offer_buffer.h"

#include "broker/core/record.h"

namespace assay::history {
namespace {

// Of the blobs only small results are kept. A record's first byte is its type (docs/journal.md).
std::size_t kept_bytes(const journal::Entry& entry) {
  const bool is_end =
      !entry.head.empty() && entry.head[0] == static_cast<char>(core::RecordType::kTaskEnded);
  return is_end && entry.blob.size() <= kResultBytesKeptMax ? entry.blob.size() : 0;
}

}  // namespace

OfferBuffer::OfferBuffer(std::size_t bytes_max, std::size_t records_max)
    : bytes_max_(bytes_max), records_max_(records_max) {
  // Untouched memory costs nothing; growing would copy in the loop.
  bytes_.reserve(bytes_max_);
  pieces_.reserve(records_max_);
}

bool OfferBuffer::add(std::uint64_t sequence, std::span<const journal::Entry> entries) {
  std::size_t bytes = 0;
  for (const journal::Entry& entry : entries) bytes += entry.head.size() + kept_bytes(entry);
  if (bytes_.size() + bytes > bytes_max_ || pieces_.size() + entries.size() > records_max_) {
    return false;
  }
  for (const journal::Entry& entry : entries) {
    const std::size_t kept = kept_bytes(entry);
    bytes_.append(entry.head);
    bytes_.append(entry.blob.substr(0, kept));
    pieces_.push_back({.head = static_cast<std::uint32_t>(entry.head.size()),
                       .kept = static_cast<std::uint32_t>(kept),
                       .blob = entry.blob.size()});
  }
  batches_.push_back({sequence, static_cast<std::ptrdiff_t>(entries.size())});
  return true;
}

void OfferBuffer::clear() {
  bytes_.clear();
  pieces_.clear();
  batches_.clear();
}

}  // namespace assay::history
