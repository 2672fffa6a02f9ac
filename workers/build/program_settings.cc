#include "workers/build/program_settings.h"

#include <unistd.h>

#include <cstdlib>

#include "workers/build/docker/engine_client.h"

namespace assay::image_build {
namespace {

using config::Map;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMebibyte = 1ULL << 20;

// A file that holds a secret: it must be there now, and is read again whenever it is needed.
void check_file(Map& map, const std::string& key, const std::string& path) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return;
  map.mistake(key, "cannot read '" + path + "'");
}

void check_pair(Map& map, const std::string& username, const std::string& password_file) {
  if (username.empty() == password_file.empty()) return;
  map.mistake("expected username and password_file, found one of them");
}

void read_registry(Map& map, RegistryAccess& access) {
  map.text("username", access.username);
  map.text("password_file", access.password_file);
  map.text("ca_file", access.ca_file);
  map.boolean("plain_http", access.plain_http);
  check_pair(map, access.username, access.password_file);
  check_file(map, "password_file", access.password_file);
  check_file(map, "ca_file", access.ca_file);
}

void read_git_host(Map& map, GitCredential& credential) {
  map.require("username");
  map.require("password_file");
  map.text("username", credential.username);
  map.text("password_file", credential.password_file);
  check_file(map, "password_file", credential.password_file);
}

void describe_limits(BuildSettings& build, config::Options& options) {
  options.bytes("memory_max", build.memory_bytes_max, "no build and no tested image may use more",
                {64 * kMebibyte, 1ULL << 50});
  options.number("cpus_max", build.cpus_max, "processors of a build or a tested image",
                 {0.1, 4096});
  options.duration("timeout_max", build.timeout_max, "no build may take longer",
                   {seconds(1), hours(48)});
  options.duration("patience", build.patience,
                   "how long a registry or git server that does not answer is waited for",
                   {milliseconds(0), hours(24)});
  options.bytes("context_max", build.context.bytes_max, "all files of a context together",
                {kMebibyte, 1ULL << 50});
  options.integer("context_files_max", build.context.entries_max, "files of a context",
                  {1, 10'000'000});
}

void describe_git(GitSettings& git, config::Options& options) {
  options.text("git", git.program, "git: a path, or a name in PATH");
  options.texts("git_protocols", git.protocols,
                "what git URLs may begin with: https, ssh, http, git");
  options.texts("git_hosts", git.hosts, "the only hosts to fetch from; empty: any");
  options.duration("git_timeout", git.timeout, "for one call of git", {seconds(1), hours(24)});
  options.text("ssh_key", git.ssh_key_file, "the private key for ssh URLs; empty: none");
  options.text("ssh_known_hosts", git.ssh_known_hosts_file,
               "known hosts for ssh; empty: the system's");
}

Status check_protocols(const GitSettings& git) {
  for (const std::string& one : git.protocols) {
    if (one == "https" || one == "ssh" || one == "http" || one == "git") continue;
    return fix_input("invalid_setting",
                     "git_protocols: expected https, ssh, http or git, found '" + one + "'");
  }
  return Status::ok();
}

}  // namespace

void describe(ProgramSettings& settings, config::Options& options) {
  BuildSettings& build = settings.build;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
  if (const char* host = std::getenv("DOCKER_HOST")) settings.docker_host = host;
  options.text("broker", settings.broker, "where the broker's workers connect");
  options.text("name", settings.name, "this worker's name; empty: host and process");
  options.text("key", settings.key, "this worker's key file, where the broker demands one");
  options.text("server_key", settings.server_key, "the broker's .pub file, or its 64 digits");
  options.integer("slots", settings.slots, "builds at once", {1, 100});
  options.duration("drain_timeout", settings.drain_timeout,
                   "after SIGTERM: how long running builds may go on",
                   {milliseconds(0), hours(24 * 7)});
  options.text("data_dir", settings.data_folder, "where sources lie while they are built");
  options.text("docker_host", settings.docker_host,
               "the engine: unix:///PATH; DOCKER_HOST, where that is set");
  options.text("artifacts", settings.artifacts,
               "the artifact store for contexts and logs; empty: none");
  describe_limits(build, options);
  describe_git(build.git, options);
  options.texts("push_to", build.registries.push_to,
                "the only registries, or HOST/PATH in front of a name, to push to; empty: any");
  options.texts("scan", build.scan_command,
                "a scanner's program and arguments; the image's reference is added");
  options.duration("scan_timeout", build.scan_timeout, "for one scan", {seconds(1), hours(24)});
  options.in_file([&build](Map& map) {
    map.named("registries", [&](const std::string& host, Map& registry) {
      read_registry(registry, build.registries.access[host]);
    });
    map.named("git_credentials", [&](const std::string& host, Map& credential) {
      read_git_host(credential, build.git.credentials[host]);
    });
  });
  options.check([&settings] { return check_protocols(settings.build.git); });
  options.check([&settings] { return socket_of(settings.docker_host).status(); });
  options.check([&settings] {
    BuildSettings& out = settings.build;
    out.folder = settings.data_folder + "/work";
    out.archive.bytes_max = out.context.bytes_max;
    out.archive.entries_max = out.context.entries_max;
    out.git.file_bytes_max = out.context.bytes_max;
    return Status::ok();
  });
}

}  // namespace assay::image_build
