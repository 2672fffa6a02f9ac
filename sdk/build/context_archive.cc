// A context as a tar archive. libarchive writes into a buffer that is emptied by read(): it never
// holds more than one piece of a file.
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sdk/build/context_folder.h"
#include "sdk/log/printable.h"

namespace assay::build {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

Status changed(const std::string& path, const std::string& what) {
  return fix_input("unreadable_context", "'" + log::printable(path) + "' " + what);
}

}  // namespace

struct ContextArchive::Writer {
  struct archive* archive = nullptr;
  std::string buffer;
  std::size_t taken = 0;   // of the buffer
  std::size_t next = 0;    // entry
  int file = -1;           // the one that is being read
  std::uint64_t left = 0;  // of it
  bool added = false;      // the Dockerfile of the request
  bool finished = false;
  std::array<char, kPieceBytes> piece{};

  ~Writer() {
    if (file >= 0) close(file);
    archive_write_free(archive);
  }

  static la_ssize_t take(struct archive*, void* self, const void* bytes, std::size_t size) {
    static_cast<Writer*>(self)->buffer.append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
  }

  Status header(const ContextEntry& entry) {
    archive_entry* const to = archive_entry_new();
    archive_entry_set_pathname(to, entry.path.c_str());
    archive_entry_set_perm(to, static_cast<mode_t>(entry.mode));
    archive_entry_set_mtime(to, static_cast<time_t>(entry.modified_seconds), 0);
    archive_entry_set_uid(to, 0);
    archive_entry_set_gid(to, 0);
    archive_entry_set_size(to, static_cast<la_int64_t>(entry.bytes));
    switch (entry.kind) {
      case ContextEntry::Kind::kFile:
        archive_entry_set_filetype(to, AE_IFREG);
        break;
      case ContextEntry::Kind::kFolder:
        archive_entry_set_filetype(to, AE_IFDIR);
        break;
      case ContextEntry::Kind::kLink:
        archive_entry_set_filetype(to, AE_IFLNK);
        archive_entry_set_symlink(to, entry.link.c_str());
        break;
    }
    const int result = archive_write_header(archive, to);
    archive_entry_free(to);
    if (result < ARCHIVE_WARN) return changed(entry.path, archive_error_string(archive));
    return Status::ok();
  }

  Status data(const std::string& path, const char* bytes, std::size_t size) {
    if (archive_write_data(archive, bytes, size) == static_cast<la_ssize_t>(size)) {
      return Status::ok();
    }
    return changed(path, archive_error_string(archive));
  }
};

ContextArchive::ContextArchive(const ContextFolder& folder, Form form)
    : folder_(folder), writer_(std::make_unique<Writer>()) {
  writer_->archive = archive_write_new();
  archive_write_set_format_pax_restricted(writer_->archive);
  if (form == Form::kTarGzip) {
    archive_write_add_filter_gzip(writer_->archive);
    archive_write_set_filter_option(writer_->archive, "gzip", "timestamp", nullptr);
  }
  archive_write_set_bytes_in_last_block(writer_->archive, 1);
  archive_write_open(writer_->archive, writer_.get(), nullptr, Writer::take, nullptr);
}

ContextArchive::~ContextArchive() = default;

// One more header, or one more piece of a file.
Status ContextArchive::advance() {
  Writer& w = *writer_;
  if (w.file >= 0) {
    const ContextEntry& entry = folder_.entries_[w.next - 1];
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(w.left, kPieceBytes));
    const ssize_t count = want == 0 ? 0 : ::read(w.file, w.piece.data(), want);
    if (count < 0 && errno == EINTR) return Status::ok();
    if (count < 0 || (count == 0 && want > 0)) {
      return changed(entry.path, "changed while it was sent");
    }
    w.left -= static_cast<std::uint64_t>(count);
    if (w.left == 0) {
      close(w.file);
      w.file = -1;
    }
    return w.data(entry.path, w.piece.data(), static_cast<std::size_t>(count));
  }
  if (w.next < folder_.entries_.size()) {
    const ContextEntry& entry = folder_.entries_[w.next++];
    if (entry.kind == ContextEntry::Kind::kFile && entry.bytes > 0) {
      w.file = open_beneath(folder_.folder_, entry.path, false);
      if (w.file < 0) return changed(entry.path, "can't be opened any more");
      w.left = entry.bytes;
    }
    return w.header(entry);
  }
  if (folder_.adds_dockerfile_ && !w.added) {
    w.added = true;
    ContextEntry entry;
    entry.path = folder_.dockerfile_;
    entry.mode = 0644;
    entry.bytes = folder_.dockerfile_text_.size();
    const Status status = w.header(entry);
    if (!status.is_ok()) return status;
    return w.data(entry.path, folder_.dockerfile_text_.data(), folder_.dockerfile_text_.size());
  }
  w.finished = true;
  if (archive_write_close(w.archive) != ARCHIVE_OK) {
    return changed("the archive", archive_error_string(w.archive));
  }
  return Status::ok();
}

Result<std::string> pack(const ContextFolder& folder, ContextArchive::Form form,
                         std::size_t bytes_max) {
  ContextArchive archive(folder, form);
  std::string bytes;
  std::string piece(kPieceBytes, '\0');
  while (bytes.size() <= bytes_max) {
    const Result<std::size_t> count = archive.read(piece.data(), piece.size());
    if (!count.is_ok()) return count.status();
    if (*count == 0) return bytes;
    bytes.append(piece, 0, *count);
  }
  return fix_input("context_too_large", "packed, the context has more than " +
                                            std::to_string(bytes_max) +
                                            " bytes; leave files out with a .dockerignore");
}

Result<std::size_t> ContextArchive::read(char* to, std::size_t size) {
  Writer& w = *writer_;
  while (w.taken == w.buffer.size() && !w.finished) {
    w.buffer.clear();
    w.taken = 0;
    const Status status = advance();
    if (!status.is_ok()) return status;
  }
  const std::size_t count = std::min(size, w.buffer.size() - w.taken);
  std::memcpy(to, w.buffer.data() + w.taken, count);
  w.taken += count;
  return count;
}

}  // namespace assay::build
