#include "workers/build/registry/registry_access.h"

#include <algorithm>

#include "sdk/config/yaml_tree.h"

namespace assay::image_build {
namespace {

constexpr std::size_t kSecretBytesMax = 64U << 10;

}  // namespace

Result<RegistryCredential> credential_for(const RegistrySettings& settings,
                                          const std::string& host) {
  const auto found = settings.access.find(host);
  if (found == settings.access.end() || found->second.password_file.empty()) {
    return RegistryCredential{};
  }
  Result<std::string> password = config::read_file(found->second.password_file, kSecretBytesMax);
  if (!password.is_ok()) {
    return fix_input("registry_refused", "the password for the registry " + host +
                                             " cannot be read; look at the worker's configuration");
  }
  while (password->ends_with('\n') || password->ends_with('\r')) password->pop_back();
  return RegistryCredential{found->second.username, std::move(*password)};
}

RegistryCredentials all_credentials(const RegistrySettings& settings) {
  RegistryCredentials out;
  for (const auto& [host, access] : settings.access) {
    Result<RegistryCredential> credential = credential_for(settings, host);
    if (credential.is_ok() && !credential->username.empty()) out[host] = std::move(*credential);
  }
  return out;
}

bool may_push(const RegistrySettings& settings, const std::string& name) {
  if (settings.push_to.empty()) return true;
  return std::any_of(settings.push_to.begin(), settings.push_to.end(), [&](const std::string& one) {
    return name == one || name.starts_with(one + "/");
  });
}

bool speaks_plain_http(const RegistrySettings& settings, const std::string& host) {
  const auto found = settings.access.find(host);
  if (found != settings.access.end() && found->second.plain_http) return true;
  const std::string name = host.substr(0, host.find(':'));
  return name == "localhost" || name.starts_with("127.");
}

}  // namespace assay::image_build
