// The files of a journal's directory: their names, and the ways in which they come to be.
//   MANIFEST                  which segments make up the journal (format.h)
//   journal-0000000001.log    a segment
//   spare-0000000001.log      a segment to be (spares.h)
//   MANIFEST.new              the next manifest in the making; its disk space is taken beforehand
//   LOCK                      held by the broker that uses the journal
// Must not know: batches.
#ifndef ASSAY_BROKER_JOURNAL_DIRECTORY_H_
#define ASSAY_BROKER_JOURNAL_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"

namespace assay::journal {

// Reasons that opening a journal fails with, beside those of file_system.h.
inline constexpr std::string_view kReasonDamaged = "journal_damaged";  // kDataLoss
inline constexpr std::string_view kReasonVersion = "journal_version";  // kFixInput

inline constexpr std::string_view kManifestName = "MANIFEST";
inline constexpr std::string_view kManifestNewName = "MANIFEST.new";
inline constexpr std::string_view kLockName = "LOCK";

std::string path_in(const std::string& directory, std::string_view name);
std::string segment_name(std::uint32_t number);
// The number in a segment's name; none for other files.
std::optional<std::uint32_t> segment_number(std::string_view name);
std::string spare_name(std::uint64_t number);
std::optional<std::uint64_t> spare_number(std::string_view name);

// The numbers of the segments that are there, in order.
Result<std::vector<std::uint32_t>> list_segments(FileSystem& file_system,
                                                 const std::string& directory);

// The manifest, or none when there is no such file. Damaged or of a newer version: a Status.
Result<std::optional<Manifest>> read_manifest(FileSystem& file_system,
                                              const std::string& directory);
// Replaces the manifest, durably: after a crash, and after a failure, there is the old one or the
// new one. Prepares for the next one.
Status write_manifest(FileSystem& file_system, const std::string& directory,
                      const Manifest& manifest);
// Takes the disk space for the next manifest, so that a full disk does not keep segments from being
// dropped. Best effort: without it the next manifest is refused on a full disk, and nothing worse.
void prepare_manifest(FileSystem& file_system, const std::string& directory);

// A segment's bytes and header, checked against the journal it should belong to.
struct LoadedSegment {
  SegmentHeader header;
  std::string bytes;
};
// `bytes` of `into` is reused. Errors: kReasonDamaged (which and how), kReasonVersion, those of
// File.
Status load_segment(FileSystem& file_system, const std::string& directory, std::uint32_t number,
                    std::uint64_t journal_id, LoadedSegment& into);

// The refusal that a damaged file gets, with what to do about it.
Status damaged(const std::string& path, std::uint64_t offset, std::string_view what);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_DIRECTORY_H_
