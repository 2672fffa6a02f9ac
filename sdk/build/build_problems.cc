#include "sdk/build/build_problems.h"

#include <algorithm>
#include <set>

#include "sdk/build/build_rules.h"
#include "sdk/config/scalar.h"
#include "sdk/log/printable.h"

namespace assay::build {
namespace {

constexpr std::size_t kShownBytesMax = 200;
constexpr std::size_t kPlatformsMax = 8;
constexpr std::size_t kCacheFromMax = 16;

std::string shown(std::string_view text) {
  return "'" + log::printable(text.substr(0, kShownBytesMax)) + "'";
}

class Finder {
 public:
  explicit Finder(const BuildRequest& request) : request_(request) {}

  std::vector<Problem> find() {
    source();
    dockerfile();
    images();
    values("args", request_.arguments, variable_name_problem);
    values("labels", request_.labels, label_name_problem);
    for (const auto& [name, value] : request_.labels) {
      if (name.starts_with("io.assay.")) add("labels", "names in io.assay. are the worker's own");
    }
    if (!request_.target.empty())
      check("target", stage_name_problem(request_.target), request_.target);
    if (request_.platforms.size() > kPlatformsMax) add("platforms", "more than 8");
    for (const std::string& platform : request_.platforms) {
      check("platforms", platform_problem(platform), platform);
    }
    const auto& severities = scan_severities();
    if (!request_.scan_fail_at.empty() && std::find(severities.begin(), severities.end(),
                                                    request_.scan_fail_at) == severities.end()) {
      add("scan", "fail_at: expected one of " + config::join(severities) + ", found " +
                      shown(request_.scan_fail_at));
    }
    if (request_.validation) validation(*request_.validation);
    return std::move(problems_);
  }

 private:
  static const std::vector<std::string>& scan_severities() {
    static const std::vector<std::string> severities{"low", "medium", "high", "critical"};
    return severities;
  }

  void add(const std::string& key, const std::string& text) { problems_.push_back({key, text}); }

  // `problem` of `value`, when there is one.
  void check(const std::string& key, const std::string& problem, std::string_view value,
             const std::string& field = {}) {
    if (problem.empty()) return;
    add(key, (field.empty() ? "" : field + ": ") + problem + ", found " + shown(value));
  }

  void source() {
    const int sources = (request_.git_url.empty() ? 0 : 1) +
                        (request_.context_artifact.empty() ? 0 : 1) +
                        (request_.context_archive.empty() ? 0 : 1);
    const bool text_alone = sources == 0 && !request_.dockerfile_text.empty();
    if (sources != 1 && !text_alone) {
      add("source", "expected exactly one of git, artifact and archive, or dockerfile_text alone");
    }
    if (!request_.git_url.empty()) {
      check("source", git_url_problem(request_.git_url), request_.git_url, "git");
    }
    if (!request_.git_ref.empty()) {
      check("source", git_ref_problem(request_.git_ref), request_.git_ref, "ref");
      if (request_.git_url.empty()) add("source", "ref: only a git source has one");
    }
    if (!request_.context_artifact.empty() && !is_sha256(request_.context_artifact)) {
      check("source", "expected 64 hexadecimal digits", request_.context_artifact, "artifact");
    }
    if (request_.context_archive.size() > kInlineContextBytesMax) {
      add("source", "archive: " + std::to_string(request_.context_archive.size()) +
                        " bytes; more than 4 MiB travel as an artifact");
    }
    if (!request_.subdirectory.empty()) {
      check("subdirectory", context_path_problem(request_.subdirectory), request_.subdirectory);
    }
  }

  void dockerfile() {
    if (request_.dockerfile_text.empty()) {
      check("dockerfile", context_path_problem(request_.dockerfile), request_.dockerfile);
    }
    if (request_.dockerfile_text.size() > kDockerfileBytesMax) {
      add("dockerfile_text", "longer than 1 MiB");
    }
  }

  void images() {
    if (request_.tags.empty()) add("tags", "expected at least one image to push to");
    if (request_.tags.size() > kBuildTagsMax) {
      add("tags", "at most 16, found " + std::to_string(request_.tags.size()));
    }
    std::set<std::string> known;
    for (std::size_t i = 0; i < std::min(request_.tags.size(), kBuildTagsMax + 1); ++i) {
      const Result<ImageReference> image = parse_image_reference(request_.tags[i]);
      if (!image.is_ok()) {
        add("tags", image.status().message());
      } else if (!image->digest.empty()) {
        add("tags", "a digest is the result of a build, found " + shown(request_.tags[i]));
      } else if (!known.insert(image->text()).second) {
        add("tags", shown(request_.tags[i]) + " is there twice");
      }
    }
    if (request_.cache_from.size() > kCacheFromMax) add("cache_from", "more than 16");
    for (const std::string& text : request_.cache_from) {
      const Result<ImageReference> image = parse_image_reference(text);
      if (!image.is_ok()) add("cache_from", image.status().message());
    }
  }

  void values(const std::string& key, const std::map<std::string, std::string>& values,
              std::string (*name_problem)(std::string_view), const std::string& field = {}) {
    const std::string front = field.empty() ? "" : field + ": ";
    if (values.size() > kBuildItemsMax) {
      add(key, front + "at most " + std::to_string(kBuildItemsMax) + ", found " +
                   std::to_string(values.size()));
      return;
    }
    for (const auto& [name, value] : values) {
      check(key, name_problem(name), name, field);
      if (value.size() > kBuildValueBytesMax) {
        add(key, front + shown(name) + " is longer than 8192 bytes");
      } else if (value.find('\0') != std::string::npos) {
        add(key, front + shown(name) + " has a zero byte");
      }
    }
  }

  void validation(const BuildValidation& wanted) {
    values("validate", wanted.environment, variable_name_problem, "environment");
    if (!wanted.health_path.empty()) {
      check("validate", http_path_problem(wanted.health_path), wanted.health_path, "health.path");
    }
    if (!wanted.inference_path.empty()) {
      check("validate", http_path_problem(wanted.inference_path), wanted.inference_path,
            "inference.path");
      if (wanted.health_path.empty()) {
        add("validate", "inference: expected health.path too, which tells when it can be asked");
      }
    }
    if (!is_one_line(wanted.inference_content_type)) {
      add("validate", "inference.content_type: it has control characters");
    }
    if (wanted.inference_body.size() > kDockerfileBytesMax) {
      add("validate", "inference.body: longer than 1 MiB");
    }
    for (const auto& [pointer, value] : wanted.inference_fields) {
      if (!pointer.starts_with("/")) {
        check("validate", "expected a JSON pointer such as /choices/0/text", pointer,
              "inference.fields");
      }
    }
    for (const std::string& word : wanted.command) {
      if (word.find('\0') != std::string::npos) add("validate", "command: it has a zero byte");
    }
  }

  const BuildRequest& request_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> find_problems(const BuildRequest& request) {
  return Finder(request).find();
}

}  // namespace assay::build

namespace assay {

std::string build_problems(const BuildRequest& request) {
  std::string out;
  for (const build::Problem& problem : build::find_problems(request)) {
    if (!out.empty()) out += '\n';
    out += problem.key + ": " + problem.text;
  }
  return out;
}

}  // namespace assay
