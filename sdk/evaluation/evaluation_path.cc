#include "sdk/evaluation/evaluation_path.h"

#include <algorithm>
#include <set>

namespace assay::evaluation {
namespace {

std::string mebibytes(std::size_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

std::string path_problem(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.size() > kPathBytesMax) {
    return "it is longer than " + std::to_string(kPathBytesMax) + " bytes";
  }
  if (path.front() == '/') return "it is absolute; it should be relative to the evaluation's file";
  const bool printable = std::all_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\';
  });
  if (!printable) return "it has a character that a path should not have";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") return "it leaves the evaluation's folder (\"..\")";
    if (part.empty() || part == ".") return "it has an empty part";
    begin = end + 1;
  }
  return {};
}

std::string join_path(std::string_view folder, std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  if (folder.empty() || path.starts_with("/")) return std::string(path);
  return std::string(folder) + "/" + std::string(path);
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

std::string stem_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const auto dot = path.rfind('.');
  return std::string(dot == std::string_view::npos || dot == 0 ? path : path.substr(0, dot));
}

std::string files_problem(const std::vector<EvaluationFile>& files) {
  if (files.size() > kFileCountMax) {
    return "it has " + std::to_string(files.size()) + " files; at most " +
           std::to_string(kFileCountMax) + " may go with an evaluation";
  }
  std::size_t total = 0;
  std::set<std::string> paths;
  for (const EvaluationFile& file : files) {
    const std::string problem = path_problem(file.path);
    if (!problem.empty())
      return "the file \"" + file.path.substr(0, kPathBytesMax) + "\": " + problem;
    if (file.content.size() > kFileBytesMax) {
      return "the file " + file.path + " is larger than " + mebibytes(kFileBytesMax);
    }
    total += file.content.size();
    if (!paths.insert(file.path).second) return "the file " + file.path + " is there twice";
  }
  if (total > kFilesBytesMax) {
    return "its files are " + mebibytes(total) + " together; at most " + mebibytes(kFilesBytesMax) +
           " may go with an evaluation";
  }
  for (const std::string& path : paths) {
    for (std::string folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
      if (paths.contains(folder)) return folder + " is a file and, for " + path + ", a folder";
    }
  }
  return {};
}

}  // namespace assay::evaluation
