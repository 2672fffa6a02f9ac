// bench_disk_limit: how often a second so many bytes become durable: appended to a file that was
// written beforehand, one write and one fdatasync a batch, and nothing else. Prints one line of
// JSON.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& path) {
  std::fprintf(stderr, "bench_disk_limit: cannot write %s\n", path.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  std::size_t batch_bytes = 65536;
  double seconds_wanted = 1;
  CLI::App app("the disk's own limit");
  app.add_option("--file", path, "made and removed")->required();
  app.add_option("--batch-bytes", batch_bytes)->check(CLI::PositiveNumber);
  app.add_option("--seconds", seconds_wanted)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  const std::size_t batches_in_file = std::max<std::size_t>(1, (64 << 20) / batch_bytes);
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string batch(batch_bytes, 'x');
  for (std::size_t i = 0; i < batches_in_file; ++i) {
    if (file < 0 || write(file, batch.data(), batch.size()) < 0) fail(path);
  }
  if (fdatasync(file) != 0) fail(path);

  std::vector<double> flush_micros;
  const auto begin = Clock::now();
  double seconds = 0;
  for (std::size_t i = 0; seconds < seconds_wanted; ++i) {
    const auto offset = static_cast<off_t>(batch_bytes * (i % batches_in_file));
    const auto before = Clock::now();
    if (pwrite(file, batch.data(), batch.size(), offset) < 0 || fdatasync(file) != 0) fail(path);
    const auto after = Clock::now();
    flush_micros.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    seconds = std::chrono::duration<double>(after - begin).count();
  }
  close(file);
  unlink(path.c_str());
  std::sort(flush_micros.begin(), flush_micros.end());
  std::printf("{\"batches_per_second\": %.1f, \"flush_p50_us\": %.1f}\n",
              static_cast<double>(flush_micros.size()) / seconds,
              flush_micros[flush_micros.size() / 2]);
  return 0;
}
