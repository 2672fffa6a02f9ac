#include "workers/eval/relay/relay.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>

#include "workers/eval/harness/runner_line.h"
#include "workers/eval/relay/upstream.h"

namespace assay::eval {
namespace {

using nlohmann::json;

constexpr std::size_t kChatBytesMax = 4U << 20;
constexpr std::size_t kAudioBytesMax = 32U << 20;
constexpr unsigned int kConnectionsMax = 8;
constexpr unsigned int kIdleSecondsMax = 60;
constexpr std::size_t kFormPartsMax = 16;
constexpr std::size_t kNestingMax = 64;

// A request while it comes in.
struct Incoming {
  std::string body;
  std::vector<FormPart> form;
  MHD_PostProcessor* post = nullptr;
  std::size_t bytes = 0;
  bool too_large = false;
  bool bad_form = false;
  ~Incoming() {
    if (post != nullptr) MHD_destroy_post_processor(post);
  }
};

// One piece of a part. False: the form is not taken.
bool take_form_part(Incoming& incoming, const char* key, const char* filename,
                    std::string_view data, std::uint64_t offset) {
  // A part without a name.
  if (key == nullptr) return false;
  if (offset == 0) {
    const bool known = std::any_of(incoming.form.begin(), incoming.form.end(),
                                   [&](const FormPart& part) { return part.name == key; });
    // The same field twice could be read one way here and another way there.
    if (known || incoming.form.size() >= kFormPartsMax) return false;
    incoming.form.push_back({key, filename == nullptr ? "" : filename, {}});
  }
  if (incoming.form.empty() || incoming.form.back().name != key) return false;
  incoming.form.back().content.append(data);
  return true;
}

// Called from C: nothing may be thrown through it.
MHD_Result on_form_part(void* context, MHD_ValueKind, const char* key, const char* filename,
                        const char*, const char*, const char* data, std::uint64_t offset,
                        std::size_t size) noexcept {
  auto& incoming = *static_cast<Incoming*>(context);
  try {
    if (take_form_part(incoming, key, filename, {data, size}, offset)) return MHD_YES;
  } catch (const std::exception&) {
    // Out of memory: refused like any form that cannot be taken.
  }
  incoming.bad_form = true;
  return MHD_NO;
}

std::string model_list(const std::vector<std::string>& models) {
  json data = json::array();
  for (const std::string& model : models) data.push_back({{"id", model}, {"object", "model"}});
  return json({{"object", "list"}, {"data", data}}).dump();
}

Status failed(const std::string& what) {
  return retry_later("pod_failed", what + ": " + std::strerror(errno));
}

// A listening socket at a path of any length, reached through the folder's descriptor.
Result<int> listen_in(int folder, const std::string& name) {
  if (mkdirat(folder, "endpoints", 0755) != 0 && errno != EEXIST) {
    return failed("cannot make the endpoints' folder");
  }
  const std::string path =
      "/proc/self/fd/" + std::to_string(folder) + "/endpoints/" + name + ".sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fix_input("pod_failed", "the endpoint's name is too long: " + name);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return failed("cannot make a socket");
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0666) != 0 || listen(listener, 16) != 0) {
    Status status = failed("cannot listen for the endpoint " + name);
    close(listener);
    return status;
  }
  return listener;
}

}  // namespace

class Relay::Server {
 public:
  Server(const Endpoint& endpoint, std::shared_ptr<RequestBudget> budget)
      : endpoint_(endpoint), budget_(std::move(budget)) {}
  ~Server() {
    stop_ = true;
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  bool start(int listener) {
    daemon_ = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, nullptr,
        nullptr, &Server::on_request, this, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT,
        kIdleSecondsMax, MHD_OPTION_NOTIFY_COMPLETED, &Server::on_completed, nullptr,
        MHD_OPTION_END);
    return daemon_ != nullptr;
  }

 private:
  // Called from C, on a thread of libmicrohttpd's: what is thrown here would end the whole worker,
  // and every evaluation in it. The request's connection is closed instead.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char*, const char* data, std::size_t* size,
                               void** context) noexcept {
    try {
      return static_cast<Server*>(self)->handle(connection, url, method, data, size, context);
    } catch (const std::exception&) {
      return MHD_NO;
    }
  }
  static void on_completed(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    delete static_cast<Incoming*>(*context);
    *context = nullptr;
  }

  MHD_Result handle(MHD_Connection* connection, std::string_view url, std::string_view method,
                    const char* data, std::size_t* size, void** context) {
    if (*context == nullptr) {
      // Given back to us by libmicrohttpd with every call, and at last to on_completed.
      auto incoming = std::make_unique<Incoming>();
      if (url == "/v1/audio/transcriptions" && method == "POST") {
        incoming->post =
            MHD_create_post_processor(connection, 65536, &on_form_part, incoming.get());
      }
      *context = incoming.release();
      return MHD_YES;
    }
    auto& incoming = *static_cast<Incoming*>(*context);
    if (*size > 0) {
      take(incoming, data, *size);
      *size = 0;
      return MHD_YES;
    }
    return send(connection, answer(incoming, url, method));
  }

  static void take(Incoming& incoming, const char* data, std::size_t size) {
    incoming.bytes += size;
    const bool form = incoming.post != nullptr;
    incoming.too_large =
        incoming.too_large || incoming.bytes > (form ? kAudioBytesMax : kChatBytesMax);
    if (incoming.too_large) {
      incoming.body = {};
      incoming.form.clear();
    } else if (!form) {
      incoming.body.append(data, size);
    } else if (!incoming.bad_form && MHD_post_process(incoming.post, data, size) != MHD_YES) {
      incoming.bad_form = true;
    }
  }

  UpstreamAnswer answer(Incoming& incoming, std::string_view url, std::string_view method) {
    if (url == "/v1/models" && method == "GET") {
      if (endpoint_.models.empty()) return spend({"/v1/models", {}, {}});
      UpstreamAnswer list;
      list.status = 200;
      list.body = model_list(endpoint_.models);
      return list;
    }
    const bool chat = url == "/v1/chat/completions" && method == "POST";
    const bool audio = url == "/v1/audio/transcriptions" && method == "POST";
    if (!chat && !audio) {
      return refusal(404,
                     "only GET /v1/models, POST /v1/chat/completions and POST "
                     "/v1/audio/transcriptions go out of the sandbox");
    }
    if (incoming.too_large) return refusal(413, "the request is too large");
    return chat ? answer_chat(incoming) : answer_audio(incoming);
  }

  // The body is written anew from what was read, so that what is checked is what is sent.
  UpstreamAnswer answer_chat(const Incoming& incoming) {
    if (nested_deeper(incoming.body, kNestingMax))
      return refusal(400, "the JSON is nested too deep");
    const json body = json::parse(incoming.body, nullptr, false);
    if (!body.is_object() || !body.contains("model") || !body["model"].is_string()) {
      return refusal(400, "the body should be a JSON object with a \"model\"");
    }
    const auto denied = deny_model(body["model"].get<std::string>());
    if (denied) return *denied;
    return spend({"/v1/chat/completions", body.dump(), {}});
  }

  UpstreamAnswer answer_audio(Incoming& incoming) {
    // What it still holds is given out when it goes.
    if (incoming.post != nullptr) MHD_destroy_post_processor(std::exchange(incoming.post, nullptr));
    const auto model = std::find_if(incoming.form.begin(), incoming.form.end(),
                                    [](const FormPart& part) { return part.name == "model"; });
    if (incoming.bad_form || model == incoming.form.end()) {
      return refusal(400, "the body should be a multipart form with a \"model\" and a \"file\"");
    }
    const auto denied = deny_model(model->content);
    if (denied) return *denied;
    return spend({"/v1/audio/transcriptions", {}, std::move(incoming.form)});
  }

  std::optional<UpstreamAnswer> deny_model(const std::string& model) const {
    const auto& models = endpoint_.models;
    if (models.empty() || std::find(models.begin(), models.end(), model) != models.end()) {
      return std::nullopt;
    }
    return refusal(403, "the endpoint " + endpoint_.name + " does not grant the model " +
                            json(model).dump(-1, ' ', true, json::error_handler_t::replace));
  }

  UpstreamAnswer spend(const UpstreamRequest& request) {
    if (!budget_->take()) {
      return refusal(403, "the evaluation has made its " + std::to_string(budget_->max) +
                              " requests to the endpoint " + endpoint_.name);
    }
    return ask(endpoint_, request, stop_);
  }

  static MHD_Result send(MHD_Connection* connection, const UpstreamAnswer& answer) {
    MHD_Response* response = MHD_create_response_from_buffer(
        answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
    if (!answer.retry_after.empty()) {
      MHD_add_response_header(response, "Retry-After", answer.retry_after.c_str());
    }
    const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  const Endpoint endpoint_;
  const std::shared_ptr<RequestBudget> budget_;
  std::atomic<bool> stop_{false};
  MHD_Daemon* daemon_ = nullptr;
};

Relay::Relay(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Relay::~Relay() = default;

Result<std::unique_ptr<Relay>> Relay::start(const Endpoint& endpoint,
                                            std::shared_ptr<RequestBudget> budget, int folder) {
  const Result<int> listener = listen_in(folder, endpoint.name);
  if (!listener.is_ok()) return listener.status();
  auto server = std::make_unique<Server>(endpoint, std::move(budget));
  if (!server->start(*listener)) {
    close(*listener);
    return retry_later("pod_failed", "cannot serve the endpoint " + endpoint.name);
  }
  return std::unique_ptr<Relay>(new Relay(std::move(server)));
}

}  // namespace assay::eval
