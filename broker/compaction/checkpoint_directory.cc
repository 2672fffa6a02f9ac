#include "broker/compaction/checkpoint_directory.h"

#include <charconv>
#include <cstdio>

#include "broker/journal/directory.h"

namespace assay::compaction {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";

std::optional<std::uint32_t> number_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string checkpoint_path(const std::string& journal_directory, std::uint32_t segment) {
  char number[11];
  std::snprintf(number, sizeof number, "%010u", segment);
  return journal::path_in(journal_directory, std::string(kPrefix) + number);
}

Result<CheckpointRead> read_checkpoint(journal::FileSystem& file_system,
                                       const std::string& journal_directory,
                                       const journal::Manifest& manifest,
                                       const journal::EntryVisitor& visit) {
  const std::uint32_t number = checkpoint_of(manifest);
  if (number == 0) return CheckpointRead();
  const std::string directory = checkpoint_path(journal_directory, number);
  const auto own = journal::read_manifest(file_system, directory);
  if (!own.is_ok()) return own.status();
  const std::string path = journal::path_in(directory, journal::kManifestName);
  if (!own.value()) {
    return journal::damaged(path, 0,
                            "expected the checkpoint that the journal begins with, found none");
  }
  if (own.value()->journal_id != manifest.journal_id) {
    return journal::damaged(path, 0, "expected a checkpoint of this journal, found another's");
  }
  const auto segments = journal::list_segments(file_system, directory);
  if (!segments.is_ok()) return segments.status();
  const std::uint32_t last = segments.value().empty() ? 1 : segments.value().back();
  const bool was_repaired = own.value()->orphans_through > 0;
  const auto bytes = journal::read_sealed(
      file_system, directory, *own.value(), own.value()->oldest_segment, last,
      was_repaired ? journal::SealedEnd::kAny : journal::SealedEnd::kClosed, visit);
  if (!bytes.is_ok()) return bytes.status();
  return CheckpointRead{*bytes, was_repaired};
}

Result<bool> replace_missing_checkpoint(journal::FileSystem& file_system,
                                        const std::string& journal_directory,
                                        const journal::Manifest& manifest) {
  const std::uint32_t number = checkpoint_of(manifest);
  if (number == 0) return false;
  const std::string directory = checkpoint_path(journal_directory, number);
  const auto own = journal::read_manifest(file_system, directory);
  if (!own.is_ok()) return own.status();
  const auto segments = journal::list_segments(file_system, directory);
  if (own.value() || (segments.is_ok() && !segments.value().empty())) return false;
  const auto made = journal::Journal::open(
      file_system, directory, {.written_ahead_bytes = 0, .journal_id = manifest.journal_id},
      [](const journal::EntryView&) { return Status::ok(); });
  if (!made.is_ok()) return made.status();
  if (Status status = (*made)->close(); !status.is_ok()) return status;
  auto written = journal::read_manifest(file_system, directory);
  if (!written.is_ok()) return written.status();
  written.value()->orphans_through = (*made)->last_sequence();
  Status status = journal::write_manifest(file_system, directory, *written.value());
  if (!status.is_ok()) return status;
  return true;
}

Status remove_checkpoint(journal::FileSystem& file_system, const std::string& journal_directory,
                         std::uint32_t segment) {
  const std::string directory = checkpoint_path(journal_directory, segment);
  const auto names = file_system.list(directory);
  if (!names.is_ok()) {
    return names.status().code() == Code::kNotFound ? Status::ok() : names.status();
  }
  for (const std::string& name : names.value()) {
    Status status = file_system.remove(journal::path_in(directory, name));
    if (!status.is_ok()) return status;
  }
  const Status status = file_system.remove(directory);
  return status.code() == Code::kNotFound ? Status::ok() : status;
}

Status remove_other_checkpoints(journal::FileSystem& file_system,
                                const std::string& journal_directory, std::uint32_t segment) {
  const auto names = file_system.list(journal_directory);
  if (!names.is_ok()) return names.status();
  for (const std::string& name : names.value()) {
    const auto number = number_of(name);
    if (!number || *number == segment) continue;
    Status status = remove_checkpoint(file_system, journal_directory, *number);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

}  // namespace assay::compaction
