#include "workers/report/reporter.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "workers/report/format/formats.h"
#include "workers/report/gather.h"

namespace assay::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr Duration kRetryDelay{5'000};

struct Format {
  const char* name;
  const char* file;
  std::string (*make)(const Report&);
};
constexpr std::array<Format, 5> kFormats{{{"html", "report.html", to_html},
                                          {"json", "report.json", to_json},
                                          {"markdown", "report.md", to_markdown},
                                          {"junit", "junit.xml", to_junit},
                                          {"csv", "tests.csv", to_csv}}};

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// Beside it first, then in its place: whoever reads it never sees half of it.
Status write_file(const fs::path& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const fs::path beside = path.string() + ".part";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (file) fs::rename(beside, path, error);
  if (file && !error) return Status::ok();
  return retry_later("unwritable_file", "cannot write '" + path.string() + "'" +
                                            (error ? ": " + error.message() : std::string()));
}

TaskOutcome outcome_of(const Status& status) {
  const bool later = status.code() == Code::kRetryLater || status.code() == Code::kRetryCall ||
                     status.code() == Code::kExhausted;
  if (!later) return TaskOutcome::failed(status.message());
  return TaskOutcome::retry(status.message(), kRetryDelay, Cause::kInfrastructure);
}

}  // namespace

// The same task run again gives the same event, which a receiver tells by its id.
Status Reporter::post_all(const Request& request, const TaskId& task,
                          const std::string& result) const {
  for (const std::string& webhook : request.webhooks) {
    if (!settings_.post) {
      return fix_input("unknown_webhook", "this worker has no webhooks; add '" + webhook +
                                              "' to its configuration under `webhooks`");
    }
    const json event{
        {"id", task.text()}, {"type", "report.completed"}, {"data", json::parse(result)}};
    Status status = settings_.post(webhook, task.text(),
                                   event.dump(-1, ' ', false, json::error_handler_t::replace));
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

TaskOutcome Reporter::run(const TaskAssignment& task, TaskContext& context) const {
  const Result<Request> request = read_request(task.body);
  if (!request.is_ok()) return TaskOutcome::failed(request.status().message());
  const auto source = settings_.source ? settings_.source() : nullptr;
  const std::size_t steps = request->formats.size() + 1;
  context.progress(0, steps, "gathering results");
  Result<Gathered> gathered = gather(*request, task, source.get(), now());
  if (!gathered.is_ok()) return outcome_of(gathered.status());
  Report report = make_report(*request, std::move(gathered->runs), std::move(gathered->baseline),
                              settings_.rates, now());
  report.task = task.id;
  report.notes = std::move(gathered->notes);

  json files = json::array();
  std::size_t done = 1;
  for (const Format& format : kFormats) {
    if (!request->formats.contains(format.name)) continue;
    if (context.cancelled()) return TaskOutcome::cancelled();
    context.progress(done++, steps, std::string("writing ") + format.file);
    const std::string content = format.make(report);
    const fs::path path = fs::path(settings_.folder) / task.id.text() / format.file;
    Status status = write_file(path, content);
    if (!status.is_ok()) return outcome_of(status);
    json file{{"format", format.name},
              {"name", format.file},
              {"path", path.string()},
              {"bytes", content.size()}};
    if (artifacts_ != nullptr) {
      const Result<ArtifactInfo> info = put_text(*artifacts_, content);
      status = info.status();
      if (status.is_ok()) status = artifacts_->set_name({task.id, format.file}, info->hash);
      if (!status.is_ok()) return outcome_of(status);
      file["sha256"] = info->hash.text();
    }
    files.push_back(std::move(file));
  }
  json result = json::parse(summary_json(report));
  result["files"] = std::move(files);
  result["webhooks"] = request->webhooks;
  const Status posted =
      post_all(*request, task.id, result.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!posted.is_ok()) return outcome_of(posted);
  context.progress(steps, steps, "written");
  return TaskOutcome::done(result.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace assay::report
