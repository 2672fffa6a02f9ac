// The calls of EngineClient about containers and their networks.
#include <nlohmann/json.hpp>

#include "sdk/http/client.h"
#include "sdk/http/request.h"
#include "workers/build/docker/engine_client.h"
#include "workers/build/docker/engine_request.h"
#include "workers/build/docker/message_stream.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::json;

Status not_understood(const std::string& what) {
  return retry_later("engine_failed", "the Docker engine's answer was not understood: " + what);
}

Result<std::string> id_of(const Result<http::Response>& response) {
  if (!response.is_ok()) return response.status();
  const Json json = Json::parse(response->body, nullptr, false);
  const auto id = json.is_object() ? json.find("Id") : json.end();
  if (id == json.end() || !id->is_string()) return not_understood("something made without an id");
  return id->get<std::string>();
}

Result<std::vector<std::string>> ids_of(const Result<http::Response>& response) {
  if (!response.is_ok()) return response.status();
  const Json json = Json::parse(response->body, nullptr, false);
  if (!json.is_array()) return not_understood("a list that is none");
  std::vector<std::string> out;
  for (const Json& one : json) {
    if (one.is_object() && one.contains("Id") && one["Id"].is_string()) out.push_back(one["Id"]);
  }
  return out;
}

Status unless_gone(const Status& status) {
  return status.code() == Code::kNotFound ? Status::ok() : status;
}

void read_state(const Json& json, ContainerState& out) {
  const Json& state = json.at("State");
  out.running = state.value("Running", false);
  out.exit_code = state.value("ExitCode", 0);
  out.out_of_memory = state.value("OOMKilled", false);
  out.error = state.value("Error", std::string());
  for (const auto& [name, network] : json.at("NetworkSettings").at("Networks").items()) {
    const std::string address = network.value("IPAddress", std::string());
    if (!address.empty()) out.address = address;
  }
}

}  // namespace

Result<std::string> EngineClient::create_network(const std::string& name,
                                                 const std::map<std::string, std::string>& labels,
                                                 const std::stop_token& stop) {
  http::Request post = request("POST", "/networks/create", stop);
  post.headers = {{"Content-Type", "application/json"}};
  post.body = network_json(name, labels);
  return id_of(call(std::move(post)));
}

Status EngineClient::remove_network(const std::string& id, const std::stop_token& stop) {
  return unless_gone(call(request("DELETE", "/networks/" + url_encoded(id), stop)).status());
}

Result<std::vector<std::string>> EngineClient::networks_with(const std::string& label,
                                                             const std::stop_token& stop) {
  return ids_of(call(request("GET", "/networks?filters=" + label_filter(label), stop)));
}

Result<std::string> EngineClient::create_container(const ContainerSpec& spec,
                                                   const std::stop_token& stop) {
  http::Request post = request("POST", "/containers/create?name=" + url_encoded(spec.name), stop);
  post.headers = {{"Content-Type", "application/json"}};
  post.body = container_json(spec);
  return id_of(call(std::move(post)));
}

Status EngineClient::start_container(const std::string& id, const std::stop_token& stop) {
  return call(request("POST", "/containers/" + url_encoded(id) + "/start", stop)).status();
}

Result<ContainerState> EngineClient::container_state(const std::string& id,
                                                     const std::stop_token& stop) {
  const Result<http::Response> response =
      call(request("GET", "/containers/" + url_encoded(id) + "/json", stop));
  if (!response.is_ok()) return response.status();
  ContainerState out;
  try {
    read_state(Json::parse(response->body), out);
  } catch (const Json::exception& error) {
    return not_understood(error.what());
  }
  return out;
}

Result<std::string> EngineClient::container_log(const std::string& id, std::size_t bytes_max,
                                                const std::stop_token& stop) {
  http::Request get =
      request("GET", "/containers/" + url_encoded(id) + "/logs?stdout=1&stderr=1&tail=500", stop);
  get.response_bytes_max = 8U << 20;
  const Result<http::Response> response = call(std::move(get));
  if (!response.is_ok()) return response.status();
  std::string text = unframed_log(response->body);
  if (text.size() > bytes_max) text.erase(0, text.size() - bytes_max);
  return text;
}

Status EngineClient::remove_container(const std::string& id, const std::stop_token& stop) {
  return unless_gone(
      call(request("DELETE", "/containers/" + url_encoded(id) + "?force=1&v=1", stop)).status());
}

Result<std::vector<std::string>> EngineClient::containers_with(const std::string& label,
                                                               const std::stop_token& stop) {
  return ids_of(
      call(request("GET", "/containers/json?all=1&filters=" + label_filter(label), stop)));
}

}  // namespace assay::image_build
