#include "workers/report/program_settings.h"

namespace assay::report {

using std::chrono::hours;
using std::chrono::milliseconds;

void describe(ProgramSettings& settings, config::Options& options) {
  options.text("broker", settings.broker, "where the broker's workers connect");
  options.text("clients", settings.clients,
               "where the broker's clients connect, for queries; empty: reports on inputs only");
  options.text("name", settings.name, "this worker's name; empty: host and process");
  options.text("key", settings.key, "this worker's key file, where the broker demands one");
  options.text("server_key", settings.server_key, "the broker's .pub file, or its 64 digits");
  options.integer("slots", settings.slots, "reports at once", {1, 100});
  options.duration("drain_timeout", settings.drain_timeout,
                   "after SIGTERM: how long running reports may go on",
                   {milliseconds(0), hours(24)});
  options.text("data_dir", settings.data_folder, "reports are written to its folder reports/");
  options.text("artifacts", settings.artifacts, "where reports are kept too; empty: nowhere");
  const config::Numbers cost{0, 1e9};
  options.text("currency", settings.rates.currency, "of the rates below");
  options.number("cpu_hour", settings.rates.cpu_hour, "the cost of an hour of a processor", cost);
  options.number("gpu_hour", settings.rates.gpu_hour, "the cost of an hour of a GPU", cost);
  options.number("pod_hour", settings.rates.pod_hour, "the cost of an hour of a pod", cost);
  options.number("model_request", settings.rates.request, "the cost of a request to a model", cost);
}

}  // namespace assay::report
