#include "workers/eval/relay/upstream.h"

#include <curl/curl.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

namespace assay::eval {
namespace {

constexpr std::size_t kAnswerBytesMax = 16U << 20;

struct Transfer {
  UpstreamAnswer answer;
  bool too_large = false;
  const std::atomic<bool>* stop = nullptr;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + count > kAnswerBytesMax) {
    transfer.too_large = true;
    return 0;
  }
  transfer.answer.body.append(bytes, count);
  return count;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->stop->load() ? 1 : 0;
}

std::string read_key(const Endpoint& endpoint) {
  std::string key;
  if (!endpoint.api_key_file.empty()) {
    std::ifstream file(endpoint.api_key_file);
    std::getline(file, key);
  } else if (!endpoint.api_key_environment.empty()) {
    const char* value = std::getenv(endpoint.api_key_environment.c_str());
    key = value == nullptr ? "" : value;
  }
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  return key;
}

void blot_out(std::string& text, const std::string& key) {
  if (key.empty()) return;
  for (std::size_t at = 0; (at = text.find(key, at)) != std::string::npos;) {
    text.replace(at, key.size(), "***");
  }
}

struct HeaderList {
  curl_slist* list = nullptr;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

std::string full_url(const Endpoint& endpoint, const std::string& path) {
  std::string base = endpoint.url;
  while (!base.empty() && base.back() == '/') base.pop_back();
  if (base.ends_with("/v1")) base.resize(base.size() - 3);
  return base + path;
}

curl_mime* make_form(CURL* curl, const std::vector<FormPart>& parts) {
  curl_mime* form = curl_mime_init(curl);
  for (const FormPart& part : parts) {
    curl_mimepart* out = curl_mime_addpart(form);
    curl_mime_name(out, part.name.c_str());
    curl_mime_data(out, part.content.data(), part.content.size());
    if (!part.filename.empty()) curl_mime_filename(out, part.filename.c_str());
  }
  return form;
}

void set_options(CURL* curl, const Endpoint& endpoint, const std::string& url, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(endpoint.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "assay/" ASSAY_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

UpstreamAnswer read_answer(CURL* curl, Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const char* type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  UpstreamAnswer out = std::move(transfer.answer);
  out.status = static_cast<unsigned int>(status);
  out.content_type = type == nullptr ? "application/octet-stream" : type;
  if (retry_after > 0) out.retry_after = std::to_string(retry_after);
  return out;
}

}  // namespace

UpstreamAnswer refusal(unsigned int status, const std::string& message) {
  const nlohmann::json body = {{"error", {{"message", message}, {"type", "assay_relay"}}}};
  UpstreamAnswer answer;
  answer.status = status;
  answer.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return answer;
}

UpstreamAnswer ask(const Endpoint& endpoint, const UpstreamRequest& request,
                   const std::atomic<bool>& stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return refusal(502, "no request can be made now");
  Transfer transfer;
  transfer.stop = &stop;
  const std::string url = full_url(endpoint, request.path);
  set_options(curl.get(), endpoint, url, transfer);
  HeaderList headers;
  const std::string key = read_key(endpoint);
  if (!key.empty()) headers.add("Authorization: Bearer " + key);
  headers.add("Accept: application/json");
  std::unique_ptr<curl_mime, void (*)(curl_mime*)> form(nullptr, curl_mime_free);
  if (!request.json.empty()) {
    headers.add("Content-Type: application/json");
    headers.add("Expect:");
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.json.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.json.data());
  } else if (!request.form.empty()) {
    headers.add("Expect:");
    form.reset(make_form(curl.get(), request.form));
    curl_easy_setopt(curl.get(), CURLOPT_MIMEPOST, form.get());
  }
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.list);
  const CURLcode code = curl_easy_perform(curl.get());
  if (transfer.too_large) return refusal(502, "the endpoint's answer is larger than 16 MiB");
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return refusal(504, "the endpoint " + endpoint.name + " did not answer in time");
  }
  // curl's own words may name the address, which is nobody's business in there.
  if (code != CURLE_OK) return refusal(502, "the endpoint " + endpoint.name + " cannot be reached");
  UpstreamAnswer answer = read_answer(curl.get(), transfer);
  blot_out(answer.body, key);
  return answer;
}

}  // namespace assay::eval
