#include "workers/eval/executor/local/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "workers/eval/executor/local/descriptor.h"

namespace assay::eval {
namespace {

// A tree larger than any limit allows is not followed further.
constexpr std::size_t kProcessesMax = 65'536;

std::string read_small(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out;
  char chunk[4096];
  for (ssize_t count; file && (count = read(file.get(), chunk, sizeof chunk)) > 0;) {
    out.append(chunk, static_cast<std::size_t>(count));
  }
  return out;
}

std::string folder_of(pid_t id) {
  return "/proc/" + std::to_string(id);
}

void add_children(pid_t id, std::vector<pid_t>& out) {
  const std::string tasks = folder_of(id) + "/task";
  DIR* folder = opendir(tasks.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const std::string children = read_small(tasks + "/" + entry->d_name + "/children");
    const char* at = children.c_str();
    char* end = nullptr;
    for (long child; (child = std::strtol(at, &end, 10)) > 0 && end != at; at = end) {
      out.push_back(static_cast<pid_t>(child));
    }
  }
  closedir(folder);
}

std::vector<pid_t> tree(pid_t root) {
  std::vector<pid_t> all{root};
  for (std::size_t i = 0; i < all.size() && all.size() < kProcessesMax; ++i) {
    add_children(all[i], all);
  }
  return all;
}

double cpu_seconds(pid_t id) {
  const std::string stat = read_small(folder_of(id) + "/stat");
  // The name in brackets may hold anything; the fields after it are numbers.
  const auto bracket = stat.rfind(')');
  if (bracket == std::string::npos) return 0;
  unsigned long long times[4] = {};
  std::sscanf(stat.c_str() + bracket + 1,
              " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &times[0],
              &times[1], &times[2], &times[3]);
  const auto ticks = times[0] + times[1] + times[2] + times[3];
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::optional<std::uint64_t> kilobytes(const std::string& text, const char* field) {
  const auto at = text.find(field);
  if (at == std::string::npos) return std::nullopt;
  return 1024 * std::strtoull(text.c_str() + at + std::strlen(field), nullptr, 10);
}

}  // namespace

TreeUsage measure_tree(pid_t root) {
  static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  TreeUsage usage;
  for (const pid_t id : tree(root)) {
    unsigned long long pages = 0;
    const std::string statm = read_small(folder_of(id) + "/statm");
    if (std::sscanf(statm.c_str(), "%*u %llu", &pages) != 1) continue;
    ++usage.processes;
    usage.resident_bytes += pages * page;
    usage.cpu_seconds += cpu_seconds(id);
  }
  return usage;
}

std::uint64_t proportional_bytes(pid_t root) {
  std::uint64_t total = 0;
  for (const pid_t id : tree(root)) {
    const std::string rollup = read_small(folder_of(id) + "/smaps_rollup");
    if (const auto shared = kilobytes(rollup, "\nPss:")) {
      total += *shared;
      continue;
    }
    // Not everybody may read that of another user. Then: what is not backed by files.
    const std::string status = read_small(folder_of(id) + "/status");
    total += kilobytes(status, "\nRssAnon:").value_or(0);
    total += kilobytes(status, "\nRssShmem:").value_or(0);
  }
  return total;
}

}  // namespace assay::eval
