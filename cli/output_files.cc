#include "cli/output_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/text/printable.h"
#include "sdk/wire/base64.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPathBytesMax = 500;

Status write_output(const fs::path& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  // A link that lies there already would lead out of the directory.
  if (!error && fs::is_symlink(path)) fs::remove(path, error);
  std::ofstream file;
  if (!error) file.open(path, std::ios::binary | std::ios::trunc);
  if (!error && file.write(content.data(), static_cast<std::streamsize>(content.size())).flush()) {
    return Status::ok();
  }
  return internal_error("unwritable_file", "cannot write '" + path.string() + "'" +
                                               (error ? ": " + error.message() : std::string()));
}

}  // namespace

Status write_file(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".part";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code error;
  if (file) fs::rename(beside, path, error);
  if (file && !error) return Status::ok();
  fs::remove(beside, error);
  return internal_error("unwritable_file", "cannot write '" + path + "'");
}

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax) return false;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(path.begin(), path.end(), is_control)) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::vector<std::string>> write_outputs(const std::vector<OutputFile>& outputs,
                                               const std::string& directory) {
  std::vector<std::string> written;
  const bool many = std::any_of(outputs.begin(), outputs.end(), [&](const OutputFile& output) {
    return output.pod != outputs.front().pod;
  });
  for (const OutputFile& output : outputs) {
    if (!output.content_base64) continue;  // the document says that it was too much
    if (!is_safe_path(output.path)) {
      return fix_input("unsafe_path", "the output '" + printable(output.path, 100) +
                                          "' would not lie below " + directory +
                                          "; it and those after it were not written");
    }
    const auto content = wire::decode_base64(*output.content_base64);
    if (!content) {
      return Status(Code::kDataLoss, "damaged_output",
                    "the content of '" + printable(output.path, 100) + "' is damaged");
    }
    fs::path path = directory;
    if (many) path /= "pod-" + std::to_string(output.pod);
    path /= output.path;
    Status status = write_output(path, *content);
    if (!status.is_ok()) return status;
    written.push_back(path.string());
  }
  return written;
}

}  // namespace assay::cli
