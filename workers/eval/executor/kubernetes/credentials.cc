#include "workers/eval/executor/kubernetes/credentials.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sdk/config/yaml_tree.h"
#include "workers/eval/base64.h"

namespace assay::eval::kubernetes {
namespace {

namespace fs = std::filesystem;
using config::YamlNode;

constexpr std::chrono::seconds kTokenAge{60};

Status invalid(const std::string& path, const std::string& problem) {
  return fix_input("invalid_kubeconfig", path + ": " + problem);
}

const YamlNode* child(const YamlNode* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  for (const auto& entry : node->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string text(const YamlNode* node, std::string_view key) {
  const YamlNode* found = child(node, key);
  return found == nullptr ? "" : found->text;
}

// The entry of that name in one of the lists of a kubeconfig.
const YamlNode* named(const YamlNode& root, std::string_view list, const std::string& name,
                      std::string_view inner) {
  const YamlNode* all = child(&root, list);
  if (all == nullptr) return nullptr;
  for (const YamlNode& one : all->items) {
    if (text(&one, "name") == name) return child(&one, inner);
  }
  return nullptr;
}

// Paths in a kubeconfig are relative to it.
std::string beside(const std::string& kubeconfig, const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  return (fs::path(kubeconfig).parent_path() / path).string();
}

std::string first_there(const std::string& paths) {
  std::istringstream all(paths);
  std::string first;
  for (std::string one; std::getline(all, one, ':');) {
    if (first.empty()) first = one;
    if (!one.empty() && access(one.c_str(), R_OK) == 0) return one;
  }
  return first;
}

Status read_cluster(const YamlNode* cluster, const std::string& path, ClusterAccess& out) {
  out.server = text(cluster, "server");
  if (out.server.empty()) return invalid(path, "the cluster has no server");
  out.tls.ca_file = beside(path, text(cluster, "certificate-authority"));
  out.tls.insecure = text(cluster, "insecure-skip-tls-verify") == "true";
  if (!decode_base64(text(cluster, "certificate-authority-data"), out.tls.ca_text)) {
    return invalid(path, "certificate-authority-data is no base64");
  }
  return Status::ok();
}

Status read_user(const YamlNode* user, const std::string& path, ClusterAccess& out) {
  if (child(user, "exec") != nullptr || child(user, "auth-provider") != nullptr) {
    return invalid(path,
                   "the user signs in with a plugin, which is not supported; use a token, a token "
                   "file or a client certificate");
  }
  out.token = text(user, "token");
  out.token_file = beside(path, text(user, "tokenFile"));
  out.tls.certificate_file = beside(path, text(user, "client-certificate"));
  out.tls.key_file = beside(path, text(user, "client-key"));
  if (!decode_base64(text(user, "client-certificate-data"), out.tls.certificate_text) ||
      !decode_base64(text(user, "client-key-data"), out.tls.key_text)) {
    return invalid(path, "client-certificate-data or client-key-data is no base64");
  }
  return Status::ok();
}

}  // namespace

Result<ClusterAccess> read_kubeconfig(const std::string& paths, const std::string& context) {
  const std::string path = first_there(paths);
  Result<std::string> content = config::read_file(path);
  if (!content.is_ok()) return content.status();
  Result<YamlNode> root = config::parse_yaml_tree(*content, path);
  if (!root.is_ok()) return root.status();
  const std::string name = context.empty() ? text(&*root, "current-context") : context;
  if (name.empty()) return invalid(path, "it has no current-context, and no context was named");
  const YamlNode* chosen = named(*root, "contexts", name, "context");
  if (chosen == nullptr) return invalid(path, "there is no context '" + name + "'");
  const YamlNode* cluster = named(*root, "clusters", text(chosen, "cluster"), "cluster");
  if (cluster == nullptr) return invalid(path, "the context '" + name + "' names no known cluster");
  const YamlNode* user = named(*root, "users", text(chosen, "user"), "user");
  if (user == nullptr) return invalid(path, "the context '" + name + "' names no known user");
  ClusterAccess out;
  out.namespace_name = text(chosen, "namespace");
  Status status = read_cluster(cluster, path, out);
  if (status.is_ok()) status = read_user(user, path, out);
  if (!status.is_ok()) return status;
  return out;
}

Result<ClusterAccess> in_cluster_access(const std::string& folder) {
  // NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  // NOLINTEND(concurrency-mt-unsafe)
  if (host == nullptr || access((folder + "/token").c_str(), R_OK) != 0) {
    return fix_input("not_in_cluster",
                     "this process is not in a pod with a service account (" + folder +
                         "/token); name a kubeconfig in its configuration or in the environment");
  }
  const std::string name(host);
  ClusterAccess out;
  out.server = "https://" + (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" +
               (port == nullptr ? "443" : port);
  out.token_file = folder + "/token";
  out.tls.ca_file = folder + "/ca.crt";  // read anew for each connection, so that it may rotate
  std::ifstream file(folder + "/namespace");
  file >> out.namespace_name;
  return out;
}

std::string TokenSource::read() const {
  std::ifstream file(file_);
  std::string token;
  file >> token;
  return token;
}

std::string TokenSource::token() {
  if (file_.empty()) return fixed_;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (last_.empty() || now - read_at_ > kTokenAge) {
    // A file that cannot be read just now is no reason to forget the token.
    std::string fresh = read();
    if (!fresh.empty()) last_ = std::move(fresh);
    read_at_ = now;
  }
  return last_;
}

bool TokenSource::refused(const std::string& token) {
  if (file_.empty()) return false;
  const std::lock_guard lock(mutex_);
  std::string fresh = read();
  read_at_ = std::chrono::steady_clock::now();
  if (!fresh.empty()) last_ = std::move(fresh);
  return last_ != token;
}

}  // namespace assay::eval::kubernetes
