#include "workers/report/program_settings.h"

namespace assay::report {

using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

void read_webhook(const std::string& name, config::Map& map, std::vector<Endpoint>& out) {
  Endpoint endpoint;
  endpoint.name = name;
  map.require("url");
  map.require("secret_file");
  map.text("url", endpoint.url);
  map.text("secret_file", endpoint.secret_file);
  map.text("ca_file", endpoint.ca_file);
  map.boolean("allow_private", endpoint.allow_private);
  map.duration("timeout", endpoint.timeout, {milliseconds(100), hours(1)});
  map.duration("give_up_after", endpoint.give_up_after, {milliseconds(0), hours(24 * 30)});
  if (!valid_name(name)) map.mistake("expected a name of letters, digits, '.', '_', '-'");
  const bool web = endpoint.url.starts_with("https://") || endpoint.url.starts_with("http://");
  if (!endpoint.url.empty() && !web) {
    map.mistake("url", "expected https://... or http://..., found '" + endpoint.url + "'");
  }
  out.push_back(std::move(endpoint));
}

}  // namespace

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
  options.text("send_again", settings.send_again,
               "a webhook: what could not be delivered is pending again; then leave");
  options.in_file([&settings](config::Map& map) {
    map.named("webhooks", [&](const std::string& name, config::Map& webhook) {
      read_webhook(name, webhook, settings.webhooks);
    });
  });
}

}  // namespace assay::report
