#include "sdk/http/transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "sdk/http/failure.h"
#include "sdk/http/peer_address.h"

namespace assay::http {
namespace {

constexpr std::size_t kHeaderBytesMax = 256U << 10;

using List = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

struct Transfer::State {
  State(Request asked, bool pausing) : request(std::move(asked)), may_pause(pausing) {}

  static std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* context);
  static std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* context);
  static std::size_t on_read(char* bytes, std::size_t, std::size_t count, void* context);
  static curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* address);
  bool address_allowed(const curl_sockaddr& address);

  void set_basics();
  void set_method_and_body();
  void set_tls();
  Status set_headers();
  Status failure(int code);

  Request request;
  bool may_pause;
  CURL* curl = nullptr;
  List headers{nullptr, curl_slist_free_all};
  std::array<char, CURL_ERROR_SIZE> words{};
  Response response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  bool stopped = false;
  bool paused = false;
  std::string refused_address;
  Clock::time_point last_byte = Clock::now();
};

std::size_t Transfer::State::on_header(char* bytes, std::size_t, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  state.last_byte = Clock::now();
  const std::string_view line = trimmed({bytes, count});
  if (line.starts_with("HTTP/")) {
    // A redirect's or an interim response's headers are not the last one's.
    state.response.headers.clear();
    long status = 0;
    curl_easy_getinfo(state.curl, CURLINFO_RESPONSE_CODE, &status);
    state.response.status = static_cast<unsigned int>(status);
    return count;
  }
  state.header_bytes += count;
  if (state.header_bytes > kHeaderBytesMax) {
    state.too_large = true;
    return 0;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return count;
  std::string name(trimmed(line.substr(0, colon)));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  state.response.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  return count;
}

std::size_t Transfer::State::on_body(char* bytes, std::size_t, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  state.last_byte = Clock::now();
  if (state.request.on_body && state.response.good()) {
    const Flow flow = state.request.on_body(state.response, {bytes, count});
    if (flow == Flow::kPause && state.may_pause) {
      state.paused = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    state.stopped = flow == Flow::kStop;
    return state.stopped ? 0 : count;
  }
  if (state.response.body.size() + count > state.request.response_bytes_max) {
    state.too_large = true;
    return 0;
  }
  state.response.body.append(bytes, count);
  return count;
}

std::size_t Transfer::State::on_read(char* bytes, std::size_t, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  state.last_byte = Clock::now();
  return std::min(state.request.read_body(bytes, count), count);
}

bool Transfer::State::address_allowed(const curl_sockaddr& address) {
  if (address.family == AF_UNIX) return true;
  const auto peer = peer_address(&address.addr, address.addrlen);
  if (peer && request.allow_address(peer->text, peer->port)) return true;
  refused_address = peer ? peer->text : "of an unknown kind";
  return false;
}

curl_socket_t Transfer::State::open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& state = *static_cast<State*>(context);
  if (state.request.allow_address && !state.address_allowed(*address)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Transfer::Transfer(Request request, bool may_pause)
    : state_(std::make_unique<State>(std::move(request), may_pause)) {}

Transfer::~Transfer() {
  if (state_->curl != nullptr) curl_easy_cleanup(state_->curl);
}

void* Transfer::handle() const {
  return state_->curl;
}

const Request& Transfer::request() const {
  return state_->request;
}

Status Transfer::prepare() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  State& state = *state_;
  const Request& request = state.request;
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    return bad_http_request("expected a URL with http:// or https://, found '" +
                            shown_url(request.url) + "'");
  }
  if (!one_line(request.url) || !one_line(request.method) || request.method.empty()) {
    return bad_http_request("a URL and a method are one line each: " + shown_url(request.url));
  }
  state.curl = curl_easy_init();
  if (state.curl == nullptr) return internal_error("http_no_memory", "no request can be made now");
  state.set_basics();
  state.set_method_and_body();
  state.set_tls();
  return state.set_headers();
}

void Transfer::State::set_basics() {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.redirects_max > 0 ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, static_cast<long>(request.redirects_max));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "assay/" ASSAY_VERSION);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  if (!request.proxy_from_environment) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (!request.unix_socket.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  }
  const auto connect = std::max(request.timeouts.connect, Milliseconds(1));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
  curl_easy_setopt(
      curl, CURLOPT_HTTP_VERSION,
      static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  // Over TLS rather wait for the connection that is being made than make a second one.
  const bool wait = request.http2 && request.url.starts_with("https://");
  curl_easy_setopt(curl, CURLOPT_PIPEWAIT, wait ? 1L : 0L);
  // A connection that another filter let through is not this one's.
  if (request.allow_address) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
}

void Transfer::State::set_method_and_body() {
  if (request.read_body) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, this);
    const auto size = request.body_bytes ? static_cast<curl_off_t>(*request.body_bytes) : -1;
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, size);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  } else if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void Transfer::State::set_tls() {
  const Tls& tls = request.tls;
  if (!tls.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, tls.ca_file.c_str());
  const auto set_blob = [&](CURLoption option, const std::string& text) {
    curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
    if (!text.empty()) curl_easy_setopt(curl, option, &blob);
  };
  set_blob(CURLOPT_CAINFO_BLOB, tls.ca_text);
  set_blob(CURLOPT_SSLCERT_BLOB, tls.certificate_text);
  set_blob(CURLOPT_SSLKEY_BLOB, tls.key_text);
  if (!tls.certificate_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, tls.certificate_file.c_str());
    curl_easy_setopt(curl, CURLOPT_SSLKEY, tls.key_file.c_str());
  }
  if (tls.insecure) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

Status Transfer::State::set_headers() {
  const auto add = [this](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  add("Expect:");
  for (const auto& [name, value] : request.headers) {
    if (!one_line(name) || !one_line(value) || name.empty()) {
      return bad_http_request("the header '" + name + "' is not one line");
    }
    // libcurl's way to send a header without a value.
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  if (!request.bearer_token.empty()) {
    if (!one_line(request.bearer_token))
      return bad_http_request("the bearer token is not one line");
    add("Authorization: Bearer " + request.bearer_token);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  return Status::ok();
}

bool Transfer::silent(Clock::time_point now) const {
  const auto at = silent_at();
  return at && now >= *at;
}

std::optional<Transfer::Clock::time_point> Transfer::silent_at() const {
  if (state_->request.timeouts.silence.count() == 0 || state_->paused) return std::nullopt;
  return state_->last_byte + state_->request.timeouts.silence;
}

void Transfer::resume() {
  if (!state_->paused) return;
  state_->paused = false;
  state_->last_byte = Clock::now();
  curl_easy_pause(state_->curl, CURLPAUSE_CONT);
}

Status Transfer::cancelled() {
  return {Code::kRetryCall, "http_cancelled", "the request was cancelled"};
}

Status Transfer::silence() const {
  return retry_later("http_timeout", shown_url(state_->request.url) + " said nothing for " +
                                         std::to_string(state_->request.timeouts.silence.count()) +
                                         " ms");
}

Result<Response> Transfer::finish(int code) {
  if (code == CURLE_OK) return std::move(state_->response);
  return state_->failure(code);
}

Status Transfer::State::failure(int code) {
  Ending ending;
  ending.code = code;
  ending.where = request.method + " " + shown_url(request.url);
  if (words[0] != '\0') ending.words = words.data();
  ending.answered = response.status != 0;
  ending.refused_address = refused_address;
  ending.response_bytes_max = request.response_bytes_max;
  ending.too_large = too_large;
  ending.stopped = stopped;
  return failure_of(ending);
}

}  // namespace assay::http
