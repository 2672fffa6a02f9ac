// Asks the configured scanner about an image.
#ifndef ASSAY_WORKERS_BUILD_SCAN_H_
#define ASSAY_WORKERS_BUILD_SCAN_H_

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "workers/build/record.h"

namespace assay::image_build {

// What a scanner's output says: {"findings": [{id, severity, package, title}]}, or Trivy's JSON.
// Anything else is kept as text. Pure.
ScanResult parse_scan(std::string_view output);

// Whether `severity` is at least `threshold`: low, medium, high, critical.
bool is_at_least(std::string_view severity, std::string_view threshold);

// Why these findings fail a build with that threshold, or nothing. Pure.
std::string scan_refusal(const ScanResult& scan, const std::string& threshold);

// Runs `command` with the image's reference as its last argument. Errors: `scan_failed`
// (retry_later) when it does not end well, those of run_command.
Result<ScanResult> scan_image(const std::vector<std::string>& command, const std::string& image,
                              Duration timeout, const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_SCAN_H_
