// The result document of a build: docs/builds.md has its fields. Additions keep `version`; a field
// that changes its meaning raises it.
#include <nlohmann/json.hpp>

#include "workers/build/record.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json source_json(const BuildRequest& request, const BuildRecord& record) {
  return {{"git", or_null(request.git_url)},
          {"ref", or_null(request.git_ref)},
          {"commit", or_null(record.commit)},
          {"context_sha256", or_null(record.context_sha256)},
          {"subdirectory", or_null(request.subdirectory)},
          {"files", record.context_files},
          {"bytes", record.context_bytes},
          {"ignored", record.ignored_files}};
}

Json platforms_json(const BuildRecord& record) {
  Json out = Json::array();
  for (const PlatformImage& image : record.images) {
    out.push_back({{"platform", image.platform},
                   {"image_id", image.image_id},
                   {"digest", or_null(image.digest)},
                   {"compressed_bytes", image.compressed_bytes},
                   {"engine_bytes", image.engine_bytes}});
  }
  return out;
}

Json scan_json(const ScanResult& scan) {
  Json findings = Json::array();
  for (const Finding& finding : scan.findings) {
    findings.push_back({{"id", finding.id},
                        {"severity", finding.severity},
                        {"package", finding.package},
                        {"title", finding.title}});
  }
  Json out{{"counts", scan.counts}, {"findings", std::move(findings)}};
  if (!scan.output.empty()) out["output"] = scan.output;
  return out;
}

Json images_json(const BuildRequest& request, const BuildRecord& record) {
  Json out = Json::array();
  for (const std::string& tag : request.tags) {
    const Result<ImageReference> image = parse_image_reference(tag);
    const bool pinned = image.is_ok() && !record.digest.empty();
    out.push_back({{"tag", tag},
                   {"pinned", pinned ? Json(image->name() + "@" + record.digest) : Json(nullptr)}});
  }
  return out;
}

}  // namespace

std::string result_document(const BuildRequest& request, const BuildRecord& record,
                            const std::string& status, const std::string& reason) {
  std::uint64_t compressed = 0;
  for (const PlatformImage& image : record.images) compressed += image.compressed_bytes;
  Json document{
      {"version", 1},
      {"kind", "build"},
      {"status", status},
      {"stage", record.stage},
      {"reason", or_null(reason)},
      {"image", request.tags.empty() ? Json(nullptr) : Json(request.tags.front())},
      {"digest", or_null(record.digest)},
      {"images", images_json(request, record)},
      {"image_id", record.images.empty() ? Json(nullptr) : Json(record.images.front().image_id)},
      {"size_bytes", compressed},
      {"platforms", platforms_json(record)},
      {"reused", record.reused},
      {"steps", record.steps},
      {"steps_cached", record.steps_cached},
      {"source", source_json(request, record)},
      {"health_check_passed", or_null(record.health_check_passed)},
      {"inference_test_passed", or_null(record.inference_test_passed)},
      {"scan", record.scan ? scan_json(*record.scan) : Json(nullptr)},
      {"container_log", or_null(record.container_log)},
      {"log", record.log},
      {"log_lines", record.log_lines},
      {"log_artifact", or_null(record.log_artifact)},
      {"seconds", record.seconds},
      {"started_at_ms", record.started_at.time_since_epoch().count()},
      {"ended_at_ms", record.ended_at.time_since_epoch().count()}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::image_build
