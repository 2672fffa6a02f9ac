#include "tests/support/broker_process.h"

#include <curl/curl.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace assay::support {

BrokerProcess::BrokerProcess(std::filesystem::path folder, std::vector<std::string> flags,
                             std::vector<std::string> wrapper)
    : folder_(std::move(folder)), flags_(std::move(flags)), wrapper_(std::move(wrapper)) {
  start();
}

void BrokerProcess::start() {
  std::vector<std::string> command{program("assay-broker"),
                                   "--data-dir",
                                   data().string(),
                                   "--clients",
                                   clients_,
                                   "--workers",
                                   workers_,
                                   "--feed",
                                   feed_,
                                   "--http",
                                   http_};
  command.insert(command.begin(), wrapper_.begin(), wrapper_.end());
  command.insert(command.end(), flags_.begin(), flags_.end());
  process_.reset();
  process_.emplace(std::move(command), log(), /*ready_descriptor=*/true);
  const std::string line = process_->ready_line();
  if (line.empty()) throw std::runtime_error("the broker did not start: " + read_file(log()));
  const auto endpoints = nlohmann::json::parse(line);
  clients_ = endpoints.at("clients");
  workers_ = endpoints.at("workers");
  feed_ = endpoints.at("feed");
  http_ = endpoints.at("http");
}

std::string http_get(const std::string& address, const std::string& path) {
  std::string body;
  CURL* curl = curl_easy_init();
  const std::string url = "http://" + address + path;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION,
      +[](char* data, std::size_t size, std::size_t count, void* into) {
        static_cast<std::string*>(into)->append(data, size * count);
        return size * count;
      });
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_cleanup(curl);
  return code == CURLE_OK ? body : std::string();
}

}  // namespace assay::support
