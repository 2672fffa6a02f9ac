// The files of a folder that a build gets: what a .dockerignore leaves of it, in a fixed order, as
// a tar archive that is made while it is read. Links are never followed, neither in the folder nor
// on the way to it.
#ifndef ASSAY_SDK_BUILD_CONTEXT_FOLDER_H_
#define ASSAY_SDK_BUILD_CONTEXT_FOLDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "assay/status.h"

namespace assay::build {

struct ContextLimits {
  std::size_t entries_max = 200'000;
  std::uint64_t bytes_max = 8ULL << 30;  // of all files
};

struct ContextOptions {
  std::string subdirectory;               // empty: all of the folder
  std::string dockerfile = "Dockerfile";  // below it; always sent, whatever is ignored
  std::string dockerfile_text;            // sent in its place under a name of its own
  bool without_git = false;               // leaves every `.git` out
  ContextLimits limits = {};
};

struct ContextEntry {
  enum class Kind : std::uint8_t { kFile, kFolder, kLink };
  std::string path;
  Kind kind = Kind::kFile;
  std::uint32_t mode = 0;
  std::int64_t modified_seconds = 0;
  std::uint64_t bytes = 0;
  std::string link;  // what it says; not looked at
};

// Thread: a value; read it from one at a time.
class ContextFolder {
 public:
  // Errors (fix_input): `unreadable_context` (no such folder, a link on the way, a file that can't
  // be read), `no_dockerfile`, `context_too_large`, `invalid_ignore_file`.
  static Result<ContextFolder> open(const std::string& folder, const ContextOptions& options);
  ContextFolder(ContextFolder&& other) noexcept;
  ContextFolder& operator=(ContextFolder&& other) noexcept;
  ~ContextFolder();

  const std::vector<ContextEntry>& entries() const { return entries_; }
  std::uint64_t bytes() const { return bytes_; }
  std::size_t ignored() const { return ignored_; }
  // The name under which the archive has the Dockerfile, and what it says.
  const std::string& dockerfile() const { return dockerfile_; }
  const std::string& dockerfile_text() const { return dockerfile_text_; }
  int descriptor() const { return folder_; }

 private:
  ContextFolder() = default;
  friend class ContextWalk;

  int folder_ = -1;
  std::vector<ContextEntry> entries_;
  std::uint64_t bytes_ = 0;
  std::size_t ignored_ = 0;
  std::string dockerfile_;
  std::string dockerfile_text_;
  bool adds_dockerfile_ = false;
  friend class ContextArchive;
};

// The archive, made as it is asked for; no file is ever in memory as a whole.
class ContextArchive {
 public:
  enum class Form : std::uint8_t { kTar, kTarGzip };
  // `folder` must outlive it. Owners are root and times are kept, so that the same files make the
  // same archive.
  ContextArchive(const ContextFolder& folder, Form form);
  ~ContextArchive();
  ContextArchive(const ContextArchive&) = delete;
  ContextArchive& operator=(const ContextArchive&) = delete;

  // The next bytes, at most `size`; 0 at the end. Errors: `unreadable_context` (fix_input) when a
  // file changed or went while it was read.
  Result<std::size_t> read(char* to, std::size_t size);

 private:
  struct Writer;
  Status advance();

  const ContextFolder& folder_;
  std::unique_ptr<Writer> writer_;
};

// The whole archive, when it is small. Errors: those of read(), and `context_too_large`.
Result<std::string> pack(const ContextFolder& folder, ContextArchive::Form form,
                         std::size_t bytes_max);

// Opens `path` below the folder `at` for reading; never through a link, never above it. -1 with
// errno when it can't.
int open_beneath(int at, const std::string& path, bool folder);

}  // namespace assay::build

#endif  // ASSAY_SDK_BUILD_CONTEXT_FOLDER_H_
