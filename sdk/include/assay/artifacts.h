// Artifacts: files by the hash of their content, in a directory or an S3 bucket.
//
//   auto store = assay::open_artifacts({.location = "/var/lib/assay/artifacts"});
//   auto log = (*store)->put(assay::bytes_of(text));
//   (*store)->set_name({task.id, "log.txt"}, log->hash);
//
// The same content is stored once. A name says what it is to a task; several names may share a
// content, and a name may be set again. docs/artifacts.md tells how they lie on the disk.
#ifndef ASSAY_ARTIFACTS_H_
#define ASSAY_ARTIFACTS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay {

// The sha256 of an artifact's bytes: its only identity. Source: FIPS 180-4.
struct ArtifactHash {
  std::array<std::uint8_t, 32> bytes{};

  // The hash that 64 hexadecimal digits spell, with or without "sha256:" in front; nothing for
  // anything else.
  static std::optional<ArtifactHash> parse(std::string_view text);
  // 64 lower-case digits.
  std::string text() const;

  friend auto operator<=>(const ArtifactHash&, const ArtifactHash&) = default;
};

struct ArtifactInfo {
  ArtifactHash hash;
  std::uint64_t bytes = 0;
  // When it was stored last: storing the same content again makes it young again, so that cleanup,
  // which spares what is young, spares what somebody is about to refer to.
  Time stored_at{};

  friend bool operator==(const ArtifactInfo&, const ArtifactInfo&) = default;
};

// What an artifact is to a task: "log.txt", "outputs/scores.json". 1 to 180 bytes of UTF-8 without
// control characters; relative, its parts neither empty nor "." nor "..".
struct ArtifactName {
  TaskId task;
  std::string name;

  // "01HZ.../log.txt"
  std::string text() const { return task.text() + "/" + name; }
  friend auto operator<=>(const ArtifactName&, const ArtifactName&) = default;
};
bool valid_artifact_name(std::string_view name);

struct NamedArtifact {
  ArtifactName name;
  ArtifactHash hash;
  Time named_at{};

  friend bool operator==(const NamedArtifact&, const NamedArtifact&) = default;
};

// Part of an artifact: `bytes` from `first` on, less where it ends before that.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();

  bool is_all() const { return first == 0 && bytes == std::numeric_limits<std::uint64_t>::max(); }
};

// Fills the buffer from its front and says how much; 0 is the end. What it fails with fails the
// put.
using ByteSource = std::function<Result<std::size_t>(std::span<char> buffer)>;
// Takes the next bytes. What it fails with ends the get.
using ByteSink = std::function<Status(std::string_view bytes)>;

// Reads `bytes`, which must outlive the source.
ByteSource bytes_of(std::string_view bytes);
// Reads a file. Errors, when it is opened: `unreadable_file` (fix_input).
Result<ByteSource> bytes_of_file(const std::string& path);

// Where artifacts live. Contents stream through memory a piece at a time, whatever their size.
//
// Every call may fail with `storage_failed` (retry_later: the disk or the service said no; the
// message says what), `storage_full` (exhausted), and `damaged_artifact` (data_loss).
//
// Thread: any, and any number of processes on the same store. What was stored and named is visible
// to all of them at once, whole or not at all.
class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;

  // Stores what `source` gives. When it returns, the bytes are durable; killed before, nothing of
  // it is visible. Content that is there already is not stored twice, and counts as stored now.
  virtual Result<ArtifactInfo> put(const ByteSource& source) = 0;

  // Hands the artifact's bytes to `sink`. A whole artifact is compared with its hash: what the sink
  // has got counts only once this returned ok; a part is compared with the artifact's length only.
  // Errors: `unknown_artifact` (not_found), `damaged_artifact` (data_loss: it has been moved aside,
  // and putting the content again mends it), `invalid_range` (fix_input: it begins after the end),
  // those of `sink`.
  virtual Status get(const ArtifactHash& hash, ByteRange range, const ByteSink& sink) = 0;

  // Errors: `unknown_artifact` (not_found).
  virtual Result<ArtifactInfo> stat(const ArtifactHash& hash) = 0;

  // Tells all artifacts, in the order of their hashes. What comes or goes meanwhile may be told or
  // not. A visit that fails ends it, with its status.
  using Visit = std::function<Status(const ArtifactInfo&)>;
  virtual Status list(const Visit& visit) = 0;

  // Makes an artifact young, as storing it again does. Before a task that refers to an artifact is
  // submitted, its producer puts or touches it: then cleanup spares it until the task is known.
  // Errors: `unknown_artifact` (not_found): store it again.
  virtual Result<ArtifactInfo> touch(const ArtifactHash& hash) = 0;

  // Whether an artifact that is out of sight may go for good.
  using Confirm = std::function<Result<bool>()>;
  // Removes an artifact that was stored last before `stored_before`, and no other, whatever others
  // store at the same moment. With `confirm`, it is first put out of sight, then the question is
  // asked, and a no, or its failure, puts it back: so nobody can begin to refer to it between the
  // question and the removal. Errors: `unknown_artifact` (not_found), `artifact_is_young`,
  // `artifact_is_needed` (conflict), those of `confirm`.
  virtual Status remove(const ArtifactHash& hash, Time stored_before,
                        const Confirm& confirm = {}) = 0;

  // Gives an artifact a name, durably; a name that was there means this one from now on. Errors:
  // `invalid_name` (fix_input), `unknown_artifact` (not_found).
  virtual Status set_name(const ArtifactName& name, const ArtifactHash& hash) = 0;
  // Errors: `unknown_name` (not_found).
  virtual Result<NamedArtifact> find_name(const ArtifactName& name) = 0;
  // Tells the names of one task, or all names, task by task; within a task by name.
  using VisitName = std::function<Status(const NamedArtifact&)>;
  virtual Status list_names(std::optional<TaskId> task, const VisitName& visit) = 0;
  // Forgets a name; its artifact stays. Errors: `unknown_name` (not_found).
  virtual Status remove_name(const ArtifactName& name) = 0;
};

// Puts and gets what fits into memory. get_text refuses an artifact over `bytes_max`:
// `artifact_too_large` (exhausted).
Result<ArtifactInfo> put_text(ArtifactStore& store, std::string_view text);
Result<std::string> get_text(ArtifactStore& store, const ArtifactHash& hash,
                             std::uint64_t bytes_max);

struct ArtifactOptions {
  // A directory, made when it is missing.
  std::string location;
};

// Errors: `invalid_location` (fix_input), `storage_failed` (retry_later).
Result<std::unique_ptr<ArtifactStore>> open_artifacts(const ArtifactOptions& options);

}  // namespace assay

#endif  // ASSAY_ARTIFACTS_H_
