#include "workers/eval/harness/pod_plan.h"

#include <nlohmann/json.hpp>

namespace assay::eval {
namespace {

using nlohmann::json;

// Reads one key after another and remembers the first mistake.
class PlanReader {
 public:
  PlanReader(const json& plan, std::string& error) : plan_(plan), error_(error) {}

  void number(const char* key, std::size_t least, std::size_t& out) {
    const auto found = plan_.find(key);
    if (found == plan_.end()) return;
    if (!found->is_number_unsigned() || found->get<std::uint64_t>() < least) {
      return fail(key, "a whole number of at least " + std::to_string(least), *found);
    }
    out = found->get<std::size_t>();
  }
  void time(const char* key, Milliseconds& out) {
    auto count = static_cast<std::size_t>(out.count());
    number(key, 1, count);
    // A year is longer than anything that is meant.
    constexpr std::size_t kMax = 365ULL * 24 * 3600 * 1000;
    out = Milliseconds(static_cast<Milliseconds::rep>(std::min(count, kMax)));
  }
  void flag(const char* key, bool& out) {
    const auto found = plan_.find(key);
    if (found == plan_.end()) return;
    if (!found->is_boolean()) return fail(key, "true or false", *found);
    out = found->get<bool>();
  }
  std::vector<std::string> strings(const char* key, const json& list) {
    std::vector<std::string> out;
    if (!list.is_array()) {
      fail(key, "an array of strings", list);
      return out;
    }
    for (const json& item : list) {
      if (!item.is_string()) {
        fail(key, "an array of strings", item);
        return {};
      }
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  void fail(const char* key, const std::string& expected, const json& found) {
    if (!error_.empty()) return;
    error_ = std::string("the plan's ") + key + " should be " + expected + ", found " +
             found.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80);
  }

 private:
  const json& plan_;
  std::string& error_;
};

}  // namespace

std::string encode_pod_plan(const PodPlan& plan) {
  json job = json::parse(plan.job, nullptr, false);
  if (!job.is_object()) job = json::object();
  job["outputs"] = plan.outputs;
  json out = {{"protocol", 1},
              {"job", std::move(job)},
              {"discover_only", plan.discover_only},
              {"test_timeout_ms", plan.test_timeout.count()},
              {"load_timeout_ms", plan.load_timeout.count()},
              {"deadline_ms", plan.deadline.count()},
              {"kill_grace_ms", plan.kill_grace.count()},
              {"connect_timeout_ms", plan.connect_timeout.count()},
              {"concurrency", plan.concurrency},
              {"restarts_max", plan.restarts_max},
              {"results_max", plan.results_max},
              {"line_bytes_max", plan.line_bytes_max}};
  if (plan.first_connect_timeout) {
    out["first_connect_timeout_ms"] = plan.first_connect_timeout->count();
  }
  out["tests"] = plan.tests ? json(*plan.tests) : json(nullptr);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<PodPlan> parse_pod_plan(std::string_view text, std::string& error) {
  error.clear();
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) {
    error = "the plan should be a JSON object";
    return std::nullopt;
  }
  PlanReader reader(in, error);
  if (in.value("protocol", json()) != json(1)) {
    reader.fail("protocol", "1", in.value("protocol", json()));
    return std::nullopt;
  }
  PodPlan plan;
  if (const auto job = in.find("job"); job != in.end()) {
    if (!job->is_object()) reader.fail("job", "an object", *job);
    plan.job = job->dump(-1, ' ', false, json::error_handler_t::replace);
    if (job->is_object() && job->contains("outputs")) {
      plan.outputs = reader.strings("job.outputs", (*job)["outputs"]);
    }
  }
  if (const auto tests = in.find("tests"); tests != in.end() && !tests->is_null()) {
    plan.tests = reader.strings("tests", *tests);
  }
  reader.flag("discover_only", plan.discover_only);
  reader.time("test_timeout_ms", plan.test_timeout);
  reader.time("load_timeout_ms", plan.load_timeout);
  reader.time("deadline_ms", plan.deadline);
  reader.time("kill_grace_ms", plan.kill_grace);
  reader.time("connect_timeout_ms", plan.connect_timeout);
  if (in.contains("first_connect_timeout_ms")) {
    plan.first_connect_timeout = plan.connect_timeout;
    reader.time("first_connect_timeout_ms", *plan.first_connect_timeout);
  }
  reader.number("concurrency", 1, plan.concurrency);
  reader.number("restarts_max", 0, plan.restarts_max);
  reader.number("results_max", 1, plan.results_max);
  reader.number("line_bytes_max", 1024, plan.line_bytes_max);
  if (!error.empty()) return std::nullopt;
  return plan;
}

}  // namespace assay::eval
