#include "workers/build/source/git.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "sdk/build/build_rules.h"
#include "sdk/config/scalar.h"
#include "sdk/config/yaml_tree.h"
#include "workers/build/command.h"
#include "workers/build/descriptor.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytesMax = 64U << 10;
constexpr std::size_t kShownBytesMax = 1500;

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_commit(std::string_view ref) {
  return (ref.size() == 40 || ref.size() == 64) &&
         ref.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool may_be_short_commit(std::string_view ref) {
  return ref.size() >= 7 && ref.size() < 40 &&
         ref.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What a URL may not hold raw.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

// The file that git's own `credential-store` reads: it gives each host its own password and no
// other. Secrets are in no argument and no environment.
Status write_credentials(const GitSettings& settings, const std::string& path) {
  std::string text;
  for (const auto& [host, credential] : settings.credentials) {
    Result<std::string> secret = config::read_file(credential.password_file, kSecretBytesMax);
    if (!secret.is_ok()) {
      return internal_error("git_failed", "the password for " + host + " cannot be read");
    }
    while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
    for (const char* protocol : {"https", "http"}) {
      text += std::string(protocol) + "://" + percent_encoded(credential.username) + ":" +
              percent_encoded(*secret) + "@" + host + "\n";
    }
  }
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0 ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return internal_error("git_failed", "cannot write " + path);
  }
  return Status::ok();
}

// A failure that another try may mend, by git's own words for it.
bool is_passing(std::string_view errors) {
  for (const std::string_view words :
       {"Could not resolve host", "Connection refused", "Connection timed out", "Connection reset",
        "unable to connect", "Failed to connect", "ouldn't connect",
        "The requested URL returned error: 5", "early EOF", "the remote end hung up",
        "Operation timed out", "Temporary failure"}) {
    if (errors.find(words) != std::string_view::npos) return true;
  }
  return false;
}

class Fetch {
 public:
  Fetch(const GitSettings& settings, const GitWanted& wanted, std::string folder,
        std::string private_folder, const std::function<void(std::string_view)>& log,
        std::stop_token stop)
      : settings_(settings),
        wanted_(wanted),
        folder_(std::move(folder)),
        private_(std::move(private_folder)),
        log_(log),
        stop_(std::move(stop)) {}

  Result<GitCommit> run() {
    const std::string refusal = git_refusal(settings_, wanted_);
    if (!refusal.empty()) return fix_input("git_refused", refusal);
    std::error_code error;
    fs::create_directories(private_, error);
    fs::permissions(private_, fs::perms::owner_all, error);
    Status status = write_credentials(settings_, credentials());
    if (!status.is_ok()) return status;
    status = git({"init", "--quiet", "--template=", "--", folder_}, "");
    if (status.is_ok()) status = fetch();
    if (status.is_ok()) status = git({"checkout", "--quiet", "--detach", tip_}, folder_);
    if (status.is_ok() && wanted_.submodules) status = fetch_submodules();
    fs::remove(credentials(), error);
    if (!status.is_ok()) return status;
    return read_commit();
  }

 private:
  std::string credentials() const { return private_ + "/credentials"; }

  std::vector<std::string> front() const {
    return {settings_.program,
            "-c",
            "credential.helper=",
            "-c",
            R"(credential.helper=store --file="$ASSAY_GIT_CREDENTIALS")",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "advice.detachedHead=false",
            "-c",
            "gc.auto=0",
            "-c",
            "transfer.fsckObjects=true",
            "-c",
            "protocol.file.allow=never",
            "-c",
            "protocol.ext.allow=never",
            "-c",
            "submodule.recurse=false"};
  }

  Status git(const std::vector<std::string>& arguments, const std::string& folder) {
    Result<CommandEnd> end = call(arguments, folder);
    if (!end.is_ok()) return end.status();
    if (end->exit_code == 0) return Status::ok();
    std::string errors = end->errors.substr(0, kShownBytesMax);
    std::replace(errors.begin(), errors.end(), '\n', ' ');
    const std::string text =
        "git " + arguments.front() + ": " +
        (errors.empty() ? "exit status " + std::to_string(end->exit_code) : errors);
    if (is_passing(end->errors)) return retry_later("git_unreachable", text);
    return fix_input("git_failed", text);
  }

  Result<CommandEnd> call(const std::vector<std::string>& arguments, const std::string& folder) {
    Command command;
    command.arguments = front();
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.environment = git_environment(settings_, private_);
    command.environment.push_back("ASSAY_GIT_CREDENTIALS=" + credentials());
    command.folder = folder;
    command.timeout = settings_.timeout;
    command.file_bytes_max = settings_.file_bytes_max;
    command.on_error_line = log_;
    Result<CommandEnd> end = run_command(command, stop_);
    if (!end.is_ok() && end.status().reason() == "command_timeout") {
      return Status(Code::kExhausted, "git_timeout", end.status().message());
    }
    return end;
  }

  // One commit and nothing of its past; all of the past only where the server leaves no other way.
  Status fetch() {
    tip_ = "FETCH_HEAD";
    const std::string ref = wanted_.ref.empty() ? "HEAD" : wanted_.ref;
    Status status =
        git({"fetch", "--quiet", "--no-tags", "--depth=1", "--end-of-options", wanted_.url, ref},
            folder_);
    const bool by_number = is_commit(ref) || may_be_short_commit(ref);
    if (status.is_ok() || status.code() != Code::kFixInput || !by_number) return status;
    log_(
        "the server does not give this commit by its number alone; fetching its branches and tags");
    status = git({"fetch", "--quiet", "--end-of-options", wanted_.url,
                  "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"},
                 folder_);
    tip_ = ref;
    return status;
  }

  Status fetch_submodules() {
    return git({"submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"}, folder_);
  }

  Result<GitCommit> read_commit() {
    Result<CommandEnd> end = call({"log", "-1", "--format=%H %ct", "HEAD"}, folder_);
    if (!end.is_ok()) return end.status();
    GitCommit commit;
    const std::string& text = end->output;
    const std::size_t space = text.find(' ');
    std::int64_t seconds = 0;
    if (space == std::string::npos || !is_commit(text.substr(0, space)) ||
        std::from_chars(text.data() + space + 1, text.data() + text.size(), seconds).ec !=
            std::errc()) {
      return fix_input("git_failed", "git does not say which commit it fetched");
    }
    commit.id = text.substr(0, space);
    commit.committed_at = Time(std::chrono::seconds(seconds));
    return commit;
  }

  const GitSettings& settings_;
  const GitWanted& wanted_;
  std::string folder_;
  std::string private_;
  const std::function<void(std::string_view)>& log_;
  std::stop_token stop_;
  std::string tip_;
};

}  // namespace

std::vector<std::string> git_environment(const GitSettings& settings, const std::string& home) {
  std::string protocols;
  for (const std::string& protocol : settings.protocols) {
    protocols += (protocols.empty() ? "" : ":") + protocol;
  }
  std::string ssh = "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oClearAllForwardings=yes";
  if (!settings.ssh_key_file.empty()) ssh += " -oIdentitiesOnly=yes -i \"$ASSAY_SSH_KEY\"";
  if (!settings.ssh_known_hosts_file.empty()) {
    ssh += " -oUserKnownHostsFile=\"$ASSAY_SSH_KNOWN_HOSTS\"";
  }
  return {"HOME=" + home,
          "LC_ALL=C",
          "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_TERMINAL_PROMPT=0",
          "GIT_ASKPASS=/bin/false",
          "SSH_ASKPASS=/bin/false",
          "GIT_LFS_SKIP_SMUDGE=1",
          "GIT_ALLOW_PROTOCOL=" + protocols,
          "GIT_SSH_COMMAND=" + ssh,
          "ASSAY_SSH_KEY=" + settings.ssh_key_file,
          "ASSAY_SSH_KNOWN_HOSTS=" + settings.ssh_known_hosts_file};
}

std::string git_refusal(const GitSettings& settings, const GitWanted& wanted) {
  if (const std::string problem = build::git_url_problem(wanted.url); !problem.empty()) {
    return problem;
  }
  if (!wanted.ref.empty()) {
    if (const std::string problem = build::git_ref_problem(wanted.ref); !problem.empty()) {
      return problem;
    }
  }
  const std::string protocol = build::git_protocol(wanted.url);
  if (!contains(settings.protocols, protocol)) {
    return "this worker does not follow " + protocol + " URLs; it follows " +
           config::join(settings.protocols);
  }
  const std::string host = build::git_host(wanted.url);
  if (!settings.hosts.empty() && !contains(settings.hosts, host)) {
    return "this worker does not fetch from " + host + "; it fetches from " +
           config::join(settings.hosts);
  }
  return {};
}

Result<GitCommit> fetch_git(const GitSettings& settings, const GitWanted& wanted,
                            const std::string& folder, const std::string& private_folder,
                            const std::function<void(std::string_view)>& log,
                            const std::stop_token& stop) {
  return Fetch(settings, wanted, folder, private_folder, log, stop).run();
}

}  // namespace assay::image_build
