// How many records a second become durable through the journal, beside what the disk itself takes:
// the same bytes, in the same batches, written to a file that was written beforehand, with one
// fdatasync a batch. Both by turns in one run, so that a disk that is slow now is slow for both.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "broker/journal/journal.h"
#include "broker/journal/posix_file_system.h"

namespace {

using namespace assay;  // NOLINT(google-build-using-namespace): a program's main
using Clock = std::chrono::steady_clock;

constexpr std::size_t kEntriesPerBatch = 128;
constexpr std::size_t kHeadBytes = 100;
constexpr std::size_t kBlobBytes = 256;
constexpr int kBatchesPerTurn = 200;
constexpr int kTurns = 10;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_journal: %s\n", what.c_str());
  std::exit(1);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Batches of bytes into a file that was written with zeros before, over and over from its
// beginning.
class BareFile {
 public:
  explicit BareFile(const std::string& path)
      : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string zeros(batch_.size() * kBatchesPerTurn, '\0');
    if (file_ < 0 || write(file_, zeros.data(), zeros.size()) < 0 || fdatasync(file_) != 0)
      fail("cannot write " + path);
  }
  BareFile(const BareFile&) = delete;
  BareFile& operator=(const BareFile&) = delete;
  ~BareFile() { close(file_); }

  double turn() {
    const auto begin = Clock::now();
    for (int i = 0; i < kBatchesPerTurn; ++i) {
      const auto offset = static_cast<off_t>(batch_.size()) * i;
      if (pwrite(file_, batch_.data(), batch_.size(), offset) < 0 || fdatasync(file_) != 0)
        fail("cannot write");
    }
    return seconds_since(begin);
  }

 private:
  const std::string batch_ = std::string((kHeadBytes + kBlobBytes) * kEntriesPerBatch, 'x');
  int file_;
};

double journal_turn(journal::Journal& journal, const std::vector<journal::Entry>& batch) {
  const auto begin = Clock::now();
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    if (const auto appended = journal.append(batch); !appended.is_ok())
      fail(appended.status().to_string());
    if (const Status flushed = journal.flush(); !flushed.is_ok()) fail(flushed.to_string());
  }
  return seconds_since(begin);
}

void print(const char* name, double seconds) {
  const double entries = static_cast<double>(kEntriesPerBatch) * kBatchesPerTurn * kTurns;
  std::printf(
      "{\"name\": \"%s\", \"value\": %.0f, \"unit\": \"records/s\", \"settings\": {\"batch\": %zu, "
      "\"record_bytes\": %zu}}\n",
      name, entries / seconds, kEntriesPerBatch, kHeadBytes + kBlobBytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr,
                 "usage: bench_journal FOLDER   (on the disk to measure; made and removed)\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const std::string head(kHeadBytes, 'h'), blob(kBlobBytes, 'b');
  const std::vector<journal::Entry> batch(kEntriesPerBatch,
                                          journal::Entry{.head = head, .blob = blob});
  double journal_seconds = 0, disk_seconds = 0;
  {
    journal::PosixFileSystem files;
    auto opened = journal::Journal::open(files, (folder / "journal").string(), {},
                                         [](const journal::EntryView&) { return Status::ok(); });
    if (!opened.is_ok()) fail(opened.status().to_string());
    BareFile bare((folder / "bare").string());
    for (int turn = 0; turn < kTurns; ++turn) {
      disk_seconds += bare.turn();
      journal_seconds += journal_turn(**opened, batch);
    }
  }
  std::filesystem::remove_all(folder);
  print("journal_disk_limit_throughput", disk_seconds);
  print("journal_throughput", journal_seconds);
  std::printf(
      "{\"name\": \"journal_share_of_disk_limit\", \"value\": %.3f, \"unit\": \"ratio\", "
      "\"settings\": {}}\n",
      disk_seconds / journal_seconds);
  return 0;
}
