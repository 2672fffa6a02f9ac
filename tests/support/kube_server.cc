#include "tests/support/kube_server.h"

#include <fstream>

#include "workers/eval/harness/frame.h"

namespace assay::support {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kLook{10};

Json status_of(unsigned int code, const std::string& reason) {
  return {
      {"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", "scripted: " + reason}};
}

Json running(const char* name) {
  return {{"name", name},
          {"restartCount", 0},
          {"state", {{"running", {{"startedAt", "2024-01-01T00:00:01Z"}}}}}};
}

Json ended(const char* name, int exit_code, const std::string& message = "") {
  return {{"name", name},
          {"restartCount", 0},
          {"state",
           {{"terminated",
             {{"exitCode", exit_code},
              {"reason", exit_code == 0 ? "Completed" : "Error"},
              {"message", message},
              {"startedAt", "2024-01-01T00:00:01Z"},
              {"finishedAt", "2024-01-01T00:00:03Z"}}}}}};
}

}  // namespace

std::string framed(const std::vector<std::string>& lines) {
  eval::FrameWriter frames;
  std::string out;
  for (const std::string& line : lines) out += frames.line(line);
  return out;
}

KubeServer::KubeServer()
    : server_([this](const ServerRequest& request, ServerConnection& connection) {
        answer(request, connection);
      }) {}

KubeServer::~KubeServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& one : players_) one.join();
}

std::string KubeServer::kubeconfig(const std::string& folder, const std::string& token) const {
  std::ofstream(folder + "/token") << token << "\n";
  const Json config = {
      {"current-context", "test"},
      {"contexts", {{{"name", "test"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}}},
      {"clusters", {{{"name", "c"}, {"cluster", {{"server", url()}}}}}},
      {"users", {{{"name", "u"}, {"user", {{"tokenFile", "token"}}}}}}};
  std::ofstream(folder + "/kubeconfig") << config.dump();
  return folder + "/kubeconfig";
}

void KubeServer::misbehave(Misbehaviour misbehaviour) {
  const std::lock_guard lock(mutex_);
  misbehaviour_ = std::move(misbehaviour);
}

void KubeServer::play(Play play) {
  const std::lock_guard lock(mutex_);
  play_ = std::move(play);
}

void KubeServer::require_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  token_ = token;
}

void KubeServer::complain(ServerConnection& connection, unsigned int status,
                          const std::string& reason) {
  connection.respond(status, status_of(status, reason).dump());
}

// /apis/batch/v1/namespaces/NS/jobs/NAME, /api/v1/namespaces/NS/pods/NAME/log
void KubeServer::answer(const ServerRequest& request, ServerConnection& connection) {
  Misbehaviour misbehaviour;
  {
    const std::lock_guard lock(mutex_);
    requests_.emplace_back(request.method, request.target);
    misbehaviour = misbehaviour_;
    const auto token = request.headers.find("authorization");
    if (!token_.empty() &&
        (token == request.headers.end() || token->second != "Bearer " + token_)) {
      return complain(connection, 401, "Unauthorized");
    }
  }
  if (misbehaviour && misbehaviour(request, connection)) return;
  const std::string path = request.path();
  const auto begin = path.find('/', path.find("/namespaces/") + 12) + 1;
  const std::string rest = path.substr(begin);
  const std::string kind = rest.substr(0, rest.find('/'));
  std::string name = rest.size() > kind.size() ? rest.substr(kind.size() + 1) : "";
  if (name.ends_with("/log")) return log(request, connection, name.substr(0, name.size() - 4));
  if (request.method == "GET") return get(request, connection, kind, name);
  if (request.method == "POST") return create(request, connection, kind);
  if (request.method == "DELETE") return remove(connection, kind, name);
  complain(connection, 405, "MethodNotAllowed");
}

void KubeServer::get(const ServerRequest& request, ServerConnection& connection,
                     const std::string& kind, const std::string& name) {
  if (request.query("watch") == "1") return watch(request, connection, kind);
  std::unique_lock lock(mutex_);
  const auto& all = objects_[kind];
  if (!name.empty()) {
    const auto found = all.find(name);
    const std::string body = found == all.end() ? "" : found->second.dump();
    lock.unlock();
    return body.empty() ? complain(connection, 404, "NotFound") : connection.respond(200, body);
  }
  const std::string limit = request.query("limit");
  const std::size_t most = limit.empty() ? all.size() + 1 : std::stoul(limit);
  Json items = Json::array();
  Json about = {{"resourceVersion", std::to_string(version_)}};
  for (auto one = all.upper_bound(request.query("continue")); one != all.end(); ++one) {
    if (items.size() == most) {
      about["continue"] = items.back()["metadata"]["name"];
      break;
    }
    items.push_back(one->second);
  }
  lock.unlock();
  connection.respond(200, Json({{"metadata", about}, {"items", items}}).dump());
}

void KubeServer::create(const ServerRequest& request, ServerConnection& connection,
                        const std::string& kind) {
  Json object = Json::parse(request.body, nullptr, false);
  if (!object.is_object()) return complain(connection, 400, "BadRequest");
  const std::string name = object["metadata"]["name"];
  Play play;
  {
    const std::lock_guard lock(mutex_);
    if (objects_[kind].contains(name)) return complain(connection, 409, "AlreadyExists");
    object["metadata"]["uid"] = "uid-" + std::to_string(version_ + 1);
    object["metadata"]["creationTimestamp"] = "2024-01-01T00:00:00Z";
    put(kind, "ADDED", object);
    object = objects_[kind][name];
    if (kind == "jobs") ++jobs_created_;
    if (kind == "jobs" && play_) {
      players_.emplace_back([this, how = play_, name] { how(*this, name); });
    }
  }
  connection.respond(201, object.dump());
}

void KubeServer::remove(ServerConnection& connection, const std::string& kind,
                        const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (!objects_[kind].contains(name)) return complain(connection, 404, "NotFound");
    drop(kind, name);
    if (kind == "jobs") {
      if (objects_["pods"].contains(name + "-pod")) drop("pods", name + "-pod");
      // What it owns goes with it.
      for (auto one = objects_["configmaps"].begin(); one != objects_["configmaps"].end();) {
        const bool owned = one->second["metadata"]["ownerReferences"][0]["name"] == name;
        one = owned ? objects_["configmaps"].erase(one) : std::next(one);
      }
    }
  }
  connection.respond(200, status_of(200, "Deleted").dump());
}

void KubeServer::watch(const ServerRequest& request, ServerConnection& connection,
                       const std::string& kind) {
  const std::uint64_t from = std::strtoull(request.query("resourceVersion").c_str(), nullptr, 10);
  std::unique_lock lock(mutex_);
  if (from < oldest_) {
    lock.unlock();
    return complain(connection, 410, "Expired");
  }
  const std::uint64_t generation = generation_;
  connection.begin_chunks(200);
  std::uint64_t told = from;
  while (!stopping_ && !connection.hung_up()) {
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const Event event = events_[i];
      if (event.version <= told || event.kind != kind) continue;
      told = event.version;
      lock.unlock();
      connection.chunk(Json({{"type", event.type}, {"object", event.object}}).dump() + "\n");
      lock.lock();
    }
    if (generation != generation_) {
      connection.chunk(Json({{"type", "ERROR"}, {"object", status_of(410, "Expired")}}).dump() +
                       "\n");
      break;
    }
    changed_.wait_for(lock, kLook);
    lock.unlock();
    if (connection.wait_gone(std::chrono::milliseconds(0))) connection.hang_up();
    lock.lock();
  }
  lock.unlock();
  if (!connection.hung_up()) connection.end_chunks();
}

void KubeServer::log(const ServerRequest& request, ServerConnection& connection,
                     const std::string& pod) {
  const std::string key = pod + "/" + request.query("container");
  const bool follow = request.query("follow") == "true";
  std::unique_lock lock(mutex_);
  if (!objects_["pods"].contains(pod)) {
    lock.unlock();
    return complain(connection, 404, "NotFound");
  }
  if (!follow) {
    const std::string text = logs_[key].text;
    lock.unlock();
    return connection.respond(200, text);
  }
  connection.begin_chunks(200);
  std::size_t told = 0;
  while (!stopping_ && !connection.hung_up()) {
    const Log now = logs_[key];
    if (now.text.size() > told) {
      lock.unlock();
      connection.chunk(now.text.substr(told));
      told = now.text.size();
      lock.lock();
    } else if (now.ended) {
      break;
    }
    changed_.wait_for(lock, kLook);
    lock.unlock();
    if (connection.wait_gone(std::chrono::milliseconds(0))) connection.hang_up();
    lock.lock();
  }
  lock.unlock();
  if (!connection.hung_up()) connection.end_chunks();
}

void KubeServer::put(const std::string& kind, const std::string& type, Json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  objects_[kind][object["metadata"]["name"]] = object;
  events_.push_back({version_, kind, type, std::move(object)});
  changed_.notify_all();
}

void KubeServer::drop(const std::string& kind, const std::string& name) {
  Json object = objects_[kind][name];
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  objects_[kind].erase(name);
  events_.push_back({version_, kind, "DELETED", std::move(object)});
  changed_.notify_all();
}

void KubeServer::add_pod(const std::string& job) {
  const std::lock_guard lock(mutex_);
  put("pods", "ADDED",
      {{"metadata",
        {{"name", job + "-pod"},
         {"uid", "pod-uid-" + std::to_string(version_)},
         {"creationTimestamp", "2024-01-01T00:00:00Z"},
         {"labels", {{"job-name", job}}}}},
       {"spec", {{"nodeName", "node"}}},
       {"status", {{"phase", "Pending"}, {"startTime", "2024-01-01T00:00:00Z"}}}});
}

void KubeServer::set_status(const std::string& job, const Json& status) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_["pods"].find(job + "-pod");
  if (found == objects_["pods"].end()) return;
  Json pod = found->second;
  pod["status"].update(status);
  put("pods", "MODIFIED", std::move(pod));
}

void KubeServer::write_log(const std::string& job, const std::string& container,
                           const std::string& text) {
  const std::lock_guard lock(mutex_);
  logs_[job + "-pod/" + container].text += text;
  changed_.notify_all();
}

void KubeServer::end_log(const std::string& job, const std::string& container) {
  const std::lock_guard lock(mutex_);
  logs_[job + "-pod/" + container].ended = true;
  changed_.notify_all();
}

void KubeServer::delete_pod(const std::string& job) {
  const std::lock_guard lock(mutex_);
  if (objects_["pods"].contains(job + "-pod")) drop("pods", job + "-pod");
}

void KubeServer::finish_job(const std::string& job) {
  const std::lock_guard lock(mutex_);
  Json object = objects_["jobs"].at(job);
  object["status"]["conditions"] = {{{"type", "Complete"}, {"status", "True"}}};
  put("jobs", "MODIFIED", std::move(object));
}

void KubeServer::run_to_end(const std::string& job, const std::vector<std::string>& lines) {
  run(job, lines);
  end(job);
}

void KubeServer::run(const std::string& job, const std::vector<std::string>& lines) {
  add_pod(job);
  const Json prepared = {ended("prepare", 0, R"({"isolated":true,"canary":[]})")};
  set_status(job, {{"phase", "Running"},
                   {"initContainerStatuses", prepared},
                   {"containerStatuses", {running("subject"), running("harness")}}});
  write_log(job, "harness", framed(lines));
  write_log(job, "subject", framed({"words of the subject"}));
}

void KubeServer::end(const std::string& job) {
  end_log(job, "harness");
  end_log(job, "subject");
  set_status(job, {{"phase", "Succeeded"},
                   {"containerStatuses", {ended("subject", 0), ended("harness", 0)}}});
}

void KubeServer::expire_watches() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  oldest_ = version_;
  events_.clear();
  changed_.notify_all();
}

void KubeServer::forget_versions() {
  const std::lock_guard lock(mutex_);
  oldest_ = version_ + 1;
  ++version_;
  events_.clear();
}

std::size_t KubeServer::count(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(kind);
  return found == objects_.end() ? 0 : found->second.size();
}

std::vector<std::string> KubeServer::names(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  const auto found = objects_.find(kind);
  if (found == objects_.end()) return out;
  for (const auto& [name, object] : found->second) out.push_back(name);
  return out;
}

KubeServer::Json KubeServer::object(const std::string& kind, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return objects_.at(kind).at(name);
}

std::size_t KubeServer::requests(const std::string& method, const std::string& part) const {
  const std::lock_guard lock(mutex_);
  std::size_t out = 0;
  for (const auto& [verb, target] : requests_) {
    out += verb == method && target.find(part) != std::string::npos ? 1 : 0;
  }
  return out;
}

std::size_t KubeServer::jobs_created() const {
  const std::lock_guard lock(mutex_);
  return jobs_created_;
}

void KubeServer::fill_with_pods(std::size_t count) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "other-" + std::to_string(i);
    objects_["pods"][name] = {
        {"metadata", {{"name", name}, {"uid", name}, {"resourceVersion", "1"}}},
        {"status", {{"phase", "Running"}}}};
  }
}

}  // namespace assay::support
