#include "workers/eval/executor/kubernetes/watch.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "sdk/log/structured_log.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

constexpr std::size_t kLineBytesMax = 4U << 20;  // an object is at most 1.5 MiB

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
    out += plain ? std::string(1, c) : std::string(code);
  }
  return out;
}

// Versions are opaque by contract and growing numbers in fact; what is none compares as equal.
std::uint64_t as_number(const std::string& version) {
  return std::strtoull(version.c_str(), nullptr, 10);
}

}  // namespace

Watch::Watch(Loop& loop, Api& api, WatchOptions options, OnObject on_object, OnGone on_gone)
    : loop_(loop),
      api_(api),
      options_(std::move(options)),
      on_object_(std::move(on_object)),
      on_gone_(std::move(on_gone)) {}

Watch::~Watch() {
  *alive_ = false;
  if (stream_ != 0) api_.end_stream(stream_);
}

void Watch::later(void (Watch::*what)()) {
  loop_.post_after(api_.backoff(failures_++), [this, alive = alive_, what] {
    if (*alive) (this->*what)();
  });
}

void Watch::list(const std::string& proceed) {
  if (proceed.empty()) {
    ++lists_;
    seen_.clear();
  }
  ApiRequest request;
  request.verb = "list";
  request.resource = options_.resource;
  request.path = options_.path + "?labelSelector=" + escaped(options_.selector) +
                 "&limit=" + std::to_string(options_.page);
  if (!proceed.empty()) request.path += "&continue=" + escaped(proceed);
  api_.call(std::move(request), [this, alive = alive_](Result<http::Response> result) {
    if (!*alive) return;
    if (result.is_ok() && result->good()) return on_page(*result);
    // Also a `continue` that is too old: from the beginning then.
    const std::string why =
        result.is_ok() ? complaint_of(*result).message : result.status().message();
    log::warn("cannot_list", {{"resource", options_.resource}, {"why", why}});
    later(&Watch::list_anew);
  });
}

void Watch::on_page(const http::Response& response) {
  const json page = json::parse(response.body, nullptr, false);
  const auto about = page.is_object() ? page.find("metadata") : page.end();
  const auto items = page.is_object() ? page.find("items") : page.end();
  if (!page.is_object() || about == page.end()) return later(&Watch::list_anew);
  if (items != page.end() && items->is_array()) {
    for (const json& item : *items) {
      const auto meta = item.find("metadata");
      if (meta == item.end()) continue;
      const std::string name = text(*meta, "name");
      seen_.insert(name);
      on_object(item.dump(), name, text(*meta, "uid"), as_number(text(*meta, "resourceVersion")));
    }
  }
  version_ = text(*about, "resourceVersion");
  const std::string proceed = text(*about, "continue");
  if (!proceed.empty()) return list(proceed);
  on_listed();
}

void Watch::on_listed() {
  std::vector<std::pair<std::string, std::string>> gone;
  for (const auto& [name, known] : known_) {
    if (!seen_.contains(name)) gone.emplace_back(name, known.uid);
  }
  for (const auto& [name, uid] : gone) {
    known_.erase(name);
    on_gone_(name, uid);
  }
  listed_ = true;
  failures_ = 0;
  watch();
}

void Watch::watch() {
  static thread_local std::minstd_rand dice{std::random_device()()};
  const auto seconds = std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::seconds>(options_.watch_timeout).count());
  std::uniform_int_distribution<std::int64_t> more(0, seconds / 2);
  const std::int64_t timeout = seconds + more(dice);
  half_.clear();
  expired_ = heard_ = false;
  ApiStream stream;
  stream.verb = "watch";
  stream.resource = options_.resource;
  stream.path = options_.path +
                "?watch=1&allowWatchBookmarks=true&labelSelector=" + escaped(options_.selector) +
                "&resourceVersion=" + escaped(version_) +
                "&timeoutSeconds=" + std::to_string(timeout);
  stream.silence = std::chrono::seconds(timeout) + options_.silence_margin;
  stream.on_bytes = [this, alive = alive_](const std::string& bytes) {
    if (*alive) on_bytes(bytes);
  };
  stream.done = [this, alive = alive_](const Result<http::Response>& result) {
    if (*alive) on_watch_end(result);
  };
  stream_ = api_.stream(std::move(stream));
}

void Watch::on_bytes(const std::string& bytes) {
  half_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = half_.find('\n', begin)) != std::string::npos;) {
    if (end > begin && !expired_) on_event(half_.substr(begin, end - begin));
    begin = end + 1;
  }
  half_.erase(0, begin);
  if (half_.size() > kLineBytesMax) api_.end_stream(stream_);
}

void Watch::on_event(const std::string& line) {
  const json event = json::parse(line, nullptr, false);
  const auto object = event.is_object() ? event.find("object") : event.end();
  // What is no event cannot be acted on, and something may have been missed: list again.
  if (!event.is_object() || object == event.end() || !object->is_object()) {
    expired_ = true;
    return api_.end_stream(stream_);
  }
  const std::string type = text(event, "type");
  if (type == "ERROR") {
    expired_ = object->value("code", 0) == 410;
    return api_.end_stream(stream_);
  }
  const auto about = object->find("metadata");
  if (about == object->end()) return;
  const std::string version = text(*about, "resourceVersion");
  // An older event that comes late must not turn the clock back.
  if (as_number(version) >= as_number(version_)) version_ = version;
  heard_ = true;
  const std::string name = text(*about, "name");
  const std::string uid = text(*about, "uid");
  if (type == "ADDED" || type == "MODIFIED") {
    on_object(object->dump(), name, uid, as_number(version));
  } else if (type == "DELETED") {
    const auto known = known_.find(name);
    // Another object of that name may be there by now.
    if (known == known_.end() || known->second.uid != uid) return;
    known_.erase(known);
    on_gone_(name, uid);
  }
}

void Watch::on_object(const std::string& object, const std::string& name, const std::string& uid,
                      std::uint64_t version) {
  if (name.empty()) return;
  Known& known = known_[name];
  if (known.uid == uid && version < known.version) return;
  if (!known.uid.empty() && known.uid != uid) on_gone_(name, known.uid);
  known = {uid, version};
  on_object_(object);
}

void Watch::on_watch_end(const Result<http::Response>& result) {
  stream_ = 0;
  const unsigned int status = result.is_ok() ? result->status : 0;
  if (expired_ || status == 410) {
    log::info("watch_expired", {{"resource", options_.resource}});
    return list("");
  }
  // A good end is the server's timeout, and one that had something to say was alive.
  if (heard_ || (result.is_ok() && result->good())) failures_ = 0;
  if (result.is_ok() && result->good()) {
    // At once, but for a server that ends every watch at once.
    return heard_ ? watch() : later(&Watch::watch);
  }
  later(&Watch::watch);
}

}  // namespace assay::eval::kubernetes
