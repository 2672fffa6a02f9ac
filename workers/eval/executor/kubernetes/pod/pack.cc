#include "workers/eval/executor/kubernetes/pod/pack.h"

#include <nlohmann/json.hpp>

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

json binary(const std::string& text) {
  return json::binary({text.begin(), text.end()});
}

bool read_text(const json& from, std::string& out) {
  if (!from.is_binary()) return false;
  const auto& bytes = from.get_binary();
  out.assign(bytes.begin(), bytes.end());
  return true;
}

bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos) return false;
  const std::string guarded = "/" + path + "/";
  return guarded.find("/../") == std::string::npos && guarded.find("//") == std::string::npos;
}

}  // namespace

std::string encode_pack(const Pack& pack) {
  json files = json::array();
  for (const PackedFile& file : pack.files) files.push_back({file.path, binary(file.content)});
  const json all = {
      {"plan", binary(pack.plan)}, {"runner", binary(pack.runner)}, {"files", std::move(files)}};
  std::string out;
  json::to_cbor(all, out);
  return out;
}

bool decode_pack(std::string_view bytes, Pack& out, std::string& error) {
  const json all = json::from_cbor(bytes.begin(), bytes.end(), true, false);
  const bool good = all.is_object() && all.contains("plan") && all.contains("runner") &&
                    all.contains("files") && read_text(all["plan"], out.plan) &&
                    read_text(all["runner"], out.runner) && all["files"].is_array();
  if (!good) {
    error = "expected a pack, found " + std::to_string(bytes.size()) + " bytes that are none";
    return false;
  }
  for (const json& one : all["files"]) {
    PackedFile file;
    if (!one.is_array() || one.size() != 2 || !one[0].is_string() ||
        !read_text(one[1], file.content)) {
      error = "expected a file of a pack, found something else";
      return false;
    }
    file.path = one[0].get<std::string>();
    if (!stays_inside(file.path)) {
      error = "expected a path inside the submission, found '" + file.path + "'";
      return false;
    }
    out.files.push_back(std::move(file));
  }
  return true;
}

}  // namespace assay::eval::kubernetes
