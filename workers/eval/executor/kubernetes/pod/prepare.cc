#include "workers/eval/executor/kubernetes/pod/prepare.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "workers/eval/executor/kubernetes/pod/canary.h"
#include "workers/eval/executor/kubernetes/pod/pack.h"

namespace assay::eval::kubernetes {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::chrono::milliseconds kPatience{2'000};

struct Flags {
  std::string packs;                  // the folder with the parts of the pack; empty: there is none
  std::string plan;                   // where plan.json goes
  std::string box;                    // where the subject's read-only files go
  std::string runner = "/runner.py";  // the image's own
  bool accept_open = false;
  bool granted = false;  // egress was granted: public addresses are not looked at
};

bool read_flags(int argc, char** argv, Flags& out) {
  for (int i = 0; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--accept-open-network") {
      out.accept_open = true;
    } else if (flag == "--egress-granted") {
      out.granted = true;
    } else if (i + 1 < argc && flag == "--packs") {
      out.packs = argv[++i];
    } else if (i + 1 < argc && flag == "--plan") {
      out.plan = argv[++i];
    } else if (i + 1 < argc && flag == "--box") {
      out.box = argv[++i];
    } else {
      std::fprintf(stderr, "assay-pod prepare: unknown flag '%s'\n", argv[i]);
      return false;
    }
  }
  return true;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view content, fs::perms mode) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  fs::permissions(path, mode);
}

// The parts in their order: part-0000, part-0001, ...
std::string join_parts(const fs::path& folder) {
  std::vector<fs::path> parts;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("part-")) parts.push_back(entry.path());
  }
  // ConfigMaps are mounted through links to a folder of their own: the same name comes twice.
  std::sort(parts.begin(), parts.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  const auto same = [](const fs::path& a, const fs::path& b) {
    return a.filename() == b.filename();
  };
  parts.erase(std::unique(parts.begin(), parts.end(), same), parts.end());
  std::string out;
  for (const fs::path& part : parts) out += read_file(part);
  return out;
}

bool unpack(const Flags& flags) {
  constexpr auto kReadable = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  constexpr auto kRunnable =
      kReadable | fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  Pack pack;
  std::string error;
  if (!decode_pack(join_parts(flags.packs), pack, error)) {
    std::fprintf(stderr, "assay-pod prepare: %s\n", error.c_str());
    return false;
  }
  const fs::path box = flags.box;
  write_file(fs::path(flags.plan) / "plan.json", pack.plan, kReadable);
  if (pack.runner.empty()) pack.runner = read_file(flags.runner);
  write_file(box / "runner.py", pack.runner, kReadable);
  write_file(box / "assay-pod", read_file("/proc/self/exe"), kRunnable);
  fs::create_directories(box / "submission");
  for (const PackedFile& file : pack.files) {
    write_file(box / "submission" / file.path, file.content, kReadable);
  }
  return true;
}

// Prints what the canary found; false when the pod may not go on.
bool isolated(const Flags& flags) {
  std::vector<CanaryTarget> targets = canary_targets();
  if (flags.granted) {
    std::erase_if(targets, [](const CanaryTarget& one) { return one.name == "public"; });
  }
  json found = json::array();
  bool open = false;
  for (const CanaryFinding& one : try_targets(targets, kPatience)) {
    found.push_back({{"name", one.name}, {"address", one.address}, {"answered", one.answered}});
    open = open || one.answered;
  }
  const json message = {{"isolated", !open}, {"canary", found}, {"processes_max", process_limit()}};
  const std::string text = message.dump();
  std::printf("%s\n", text.c_str());
  std::ofstream("/dev/termination-log") << text;
  return !open || flags.accept_open;
}

}  // namespace

int prepare(int argc, char** argv) {
  Flags flags;
  if (!read_flags(argc, argv, flags)) return 2;
  umask(0);
  if (!isolated(flags)) return kNotIsolatedStatus;
  if (flags.packs.empty()) return 0;
  try {
    return unpack(flags) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-pod prepare: %s\n", error.what());
    return 1;
  }
}

}  // namespace assay::eval::kubernetes
