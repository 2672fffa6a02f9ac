// bench_artifacts FOLDER: artifacts put and got beside the same bytes written and read bare, in
// turns, so that both meet the same disk. Prints one JSON object a figure.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "assay/artifacts.h"

namespace {

using assay::Result;
using assay::Status;

constexpr std::size_t kPiece = 256U << 10;
constexpr std::size_t kPieces = 1024;  // 256 MiB
constexpr int kRounds = 5;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bench_artifacts: %s\n", what.c_str());
  std::exit(1);
}

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Pieces that differ from each other and from round to round.
void fill(std::vector<char>& piece, std::size_t number, int round) {
  for (std::size_t i = 0; i < piece.size(); i += 64) {
    piece[i] = static_cast<char>(i / 64 + number * 31 + static_cast<std::size_t>(round) * 7);
  }
}

void write_bare(const std::string& path, int round) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::vector<char> piece(kPiece, 'x');
  for (std::size_t i = 0; i < kPieces; ++i) {
    fill(piece, i, round);
    if (write(file, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) {
      fail("cannot write " + path);
    }
  }
  if (fsync(file) != 0) fail("cannot flush " + path);
  close(file);
}

// Both reads begin without the file in memory.
void forget_pages(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
}

void read_bare(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY);
  std::vector<char> piece(kPiece);
  while (read(file, piece.data(), piece.size()) > 0) {
  }
  close(file);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const char* name, const std::vector<double>& times, const char* limit) {
  const double rate = static_cast<double>(kPiece * kPieces) / median(times) / 1e6;
  std::printf(
      "{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"MB/s\", "
      "\"settings\": {\"bytes\": %zu%s%s%s}}\n",
      name, rate, kPiece * kPieces, *limit != 0 ? ", \"limit\": \"" : "", limit,
      *limit != 0 ? "\"" : "");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) fail("usage: bench_artifacts FOLDER");
  const std::string folder = argv[1];
  auto store = assay::open_artifacts({.location = folder + "/store"});
  if (!store.is_ok()) fail(store.status().message());
  std::vector<double> bare_write, put, bare_read, get;
  for (int round = 0; round < kRounds; ++round) {
    const std::string bare = folder + "/bare";
    bare_write.push_back(seconds([&] { write_bare(bare, round); }));
    assay::ArtifactHash hash;
    put.push_back(seconds([&] {
      std::size_t number = 0;
      const auto info = (*store)->put([&](std::span<char> buffer) -> Result<std::size_t> {
        if (number == kPieces) return std::size_t{0};
        std::vector<char> piece(kPiece, 'x');
        fill(piece, number++, round);
        std::copy(piece.begin(), piece.end(), buffer.begin());
        return piece.size();
      });
      if (!info.is_ok()) fail(info.status().message());
      hash = info->hash;
    }));
    forget_pages(bare);
    forget_pages(folder + "/store/objects/" + hash.text().substr(0, 2) + "/" + hash.text());
    bare_read.push_back(seconds([&] { read_bare(bare); }));
    get.push_back(seconds([&] {
      const Status status = (*store)->get(hash, {}, [](std::string_view) { return Status::ok(); });
      if (!status.is_ok()) fail(status.message());
    }));
    std::filesystem::remove(bare);
  }
  std::filesystem::remove_all(folder + "/store");
  print("disk_write_throughput", bare_write, "");
  print("artifact_put_throughput", put, "disk_write_throughput");
  print("disk_read_throughput", bare_read, "");
  print("artifact_get_throughput", get, "disk_read_throughput");
  return 0;
}
