// Fetches one commit of a git repository into a folder, with git's own program. The repository is
// not trusted: no hook, no filter, no prompt, no protocol beside those allowed, no link followed.
#ifndef ASSAY_WORKERS_BUILD_SOURCE_GIT_H_
#define ASSAY_WORKERS_BUILD_SOURCE_GIT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::image_build {

struct GitCredential {
  std::string username;
  std::string password_file;  // read anew for each fetch; its last newline does not count
};

struct GitSettings {
  std::string program = "git";
  std::vector<std::string> protocols{"https", "ssh"};
  std::vector<std::string> hosts;                    // empty: any
  std::map<std::string, GitCredential> credentials;  // by host, for https and http
  std::string ssh_key_file;                          // for ssh; empty: none is offered
  std::string ssh_known_hosts_file;                  // empty: the system's
  Duration timeout{600'000};
  std::uint64_t file_bytes_max = 8ULL << 30;
};

struct GitWanted {
  std::string url;
  std::string ref;  // empty: the server's HEAD
  bool submodules = false;
};

struct GitCommit {
  std::string id;  // all its digits
  Time committed_at{};
};

// What git is called with, as argument vectors, and its environment; pure, for the tests.
std::vector<std::string> git_environment(const GitSettings& settings, const std::string& home);
std::string git_refusal(const GitSettings& settings, const GitWanted& wanted);

// `folder` is made, and has the files afterwards; `private_folder` holds what git needs while it
// runs. Errors: `git_refused` (fix_input: the URL or the ref), `git_failed` (fix_input: git's own
// last words), `git_unreachable` (retry_later), `git_timeout` (exhausted), `stopped`.
Result<GitCommit> fetch_git(const GitSettings& settings, const GitWanted& wanted,
                            const std::string& folder, const std::string& private_folder,
                            const std::function<void(std::string_view)>& log,
                            const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_SOURCE_GIT_H_
