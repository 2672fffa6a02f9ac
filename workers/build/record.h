// All that is known of one build: what its result document is made of.
#ifndef ASSAY_WORKERS_BUILD_RECORD_H_
#define ASSAY_WORKERS_BUILD_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/build.h"
#include "assay/ids.h"

namespace assay::image_build {

struct PlatformImage {
  std::string platform;
  std::string image_id;
  std::uint64_t engine_bytes = 0;      // unpacked, as the engine counts them
  std::string digest;                  // of its manifest
  std::uint64_t compressed_bytes = 0;  // as the registry has it
};

struct Finding {
  std::string id;
  std::string severity;  // low, medium, high, critical, or as the scanner says it
  std::string package;
  std::string title;
};

struct ScanResult {
  std::vector<Finding> findings;
  std::map<std::string, std::uint64_t> counts;  // by severity
  std::string output;                           // when it was not understood: its beginning
};

struct BuildRecord {
  std::string commit;
  std::string context_sha256;  // of an archive
  std::uint64_t context_files = 0;
  std::uint64_t context_bytes = 0;
  std::uint64_t ignored_files = 0;

  std::vector<PlatformImage> images;
  std::string digest;   // that every tag has
  bool reused = false;  // an earlier result was taken
  std::uint64_t steps = 0;
  std::uint64_t steps_cached = 0;

  std::optional<ScanResult> scan;
  std::optional<bool> health_check_passed;
  std::optional<bool> inference_test_passed;
  std::string container_log;

  std::map<std::string, double> seconds;  // by stage
  std::string stage = "pending";
  std::string log;  // all of it, or its end
  std::string log_artifact;
  std::uint64_t log_lines = 0;
  Time started_at{};
  Time ended_at{};
};

// The result document (docs/builds.md). `status` is completed, failed or cancelled. Pure.
std::string result_document(const BuildRequest& request, const BuildRecord& record,
                            const std::string& status, const std::string& reason);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_RECORD_H_
