// assay build: sends a folder or names a repository, follows the build's log, prints the digest.
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "assay/artifacts.h"
#include "assay/build.h"
#include "cli/build_result.h"
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/json_forms.h"
#include "cli/up/data_directory.h"
#include "sdk/build/context_folder.h"
#include "sdk/config/yaml_tree.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

// A store that the worker reads too: the flag's, the environment's, or that of an `assay up` here.
std::string artifact_place(const BuildOptions& options) {
  if (!options.artifacts.empty()) return options.artifacts;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  if (const char* place = std::getenv("ASSAY_ARTIFACTS")) return place;
  const std::string local = default_data_directory() + "/artifacts";
  return fs::is_directory(local) ? local : "";
}

Result<std::string> store_context(const std::string& place, std::string beginning,
                                  build::ContextArchive& archive) {
  Result<std::unique_ptr<ArtifactStore>> store = open_artifacts({.location = place});
  if (!store.is_ok()) return store.status();
  std::size_t taken = 0;
  const Result<ArtifactInfo> stored = (*store)->put([&](std::span<char> to) -> Result<std::size_t> {
    if (taken == beginning.size()) return archive.read(to.data(), to.size());
    const std::size_t count = beginning.copy(to.data(), to.size(), taken);
    taken += count;
    return count;
  });
  if (!stored.is_ok()) return stored.status();
  return stored->hash.text();
}

// A small context travels with the task, a larger one as an artifact.
Status add_folder(const BuildOptions& options, BuildRequest& request) {
  build::ContextOptions wanted;
  wanted.subdirectory = options.subdirectory;
  wanted.dockerfile = options.file;
  const Result<build::ContextFolder> folder = build::ContextFolder::open(options.source, wanted);
  if (!folder.is_ok()) return folder.status();
  request.subdirectory.clear();  // what is sent begins there
  build::ContextArchive archive(*folder, build::ContextArchive::Form::kTarGzip);
  std::string bytes;
  std::string piece(std::size_t{64} << 10, '\0');
  while (bytes.size() <= kInlineContextBytesMax) {
    const Result<std::size_t> count = archive.read(piece.data(), piece.size());
    if (!count.is_ok()) return count.status();
    if (*count == 0) {
      request.context_archive = std::move(bytes);
      return Status::ok();
    }
    bytes.append(piece, 0, *count);
  }
  const std::string place = artifact_place(options);
  if (place.empty()) {
    return fix_input("context_too_large",
                     "packed, the context has more than 4 MiB: leave files out with a "
                     ".dockerignore, or name an artifact store that the worker has too with "
                     "--artifacts DIR");
  }
  const Result<std::string> hash = store_context(place, std::move(bytes), archive);
  if (!hash.is_ok()) return hash.status();
  request.context_artifact = *hash;
  return Status::ok();
}

Status add_validation(const BuildOptions& options, BuildRequest& request) {
  if (!options.run && options.health.empty() && options.inference.empty()) return Status::ok();
  BuildValidation& to = request.validation.emplace();
  to.port = options.port;
  to.health_path = options.health;
  if (options.health_timeout) to.health_timeout = *options.health_timeout;
  to.inference_path = options.inference;
  to.inference_body = options.inference_body;
  to.inference_text = options.inference_text;
  to.inference_fields = options.inference_fields;
  if (!options.inference_body.starts_with("@")) return Status::ok();
  Result<std::string> body = config::read_file(options.inference_body.substr(1));
  if (!body.is_ok()) return body.status();
  to.inference_body = std::move(*body);
  return Status::ok();
}

Result<BuildRequest> request_of(const BuildOptions& options) {
  BuildRequest request;
  request.subdirectory = options.subdirectory;
  request.dockerfile = options.file;
  request.tags = options.tags;
  request.arguments = options.arguments;
  request.labels = options.image_labels;
  request.target = options.target;
  request.platforms = options.platforms;
  request.cache_from = options.cache_from;
  request.cache = !options.no_cache;
  request.pull = options.pull;
  request.network = !options.no_network;
  if (options.memory_bytes) request.memory_bytes = *options.memory_bytes;
  if (options.cpus) request.cpus = *options.cpus;
  if (options.timeout) request.timeout = *options.timeout;
  request.scan_fail_at = options.scan_fail_at;
  Status status = add_validation(options, request);
  if (!status.is_ok()) return status;
  if (fs::is_directory(options.source)) {
    if (!options.ref.empty()) return fix_input("invalid_build", "--ref is for git URLs only");
    status = add_folder(options, request);
    if (!status.is_ok()) return status;
  } else {
    request.git_url = options.source;
    request.git_ref = options.ref;
    request.submodules = options.submodules;
  }
  const std::string problems = build_problems(request);
  if (!problems.empty()) return fix_input("invalid_build", problems);
  return request;
}

TaskSpec task_of(const BuildOptions& options, const BuildRequest& request) {
  TaskSpec task;
  task.id = TaskId::make(now());
  task.queue = QueueName(options.queue);
  task.owner = OwnerName(options.owner.empty() ? default_owner() : options.owner);
  task.priority = options.priority;
  task.labels = options.labels;
  task.labels.emplace("image", request.tags.front());
  task.body = encode_build(request);
  return task;
}

ExitCode print_result(const TaskResult& result, const GlobalOptions& global, Console& console) {
  const auto build = parse_build_result(result.result);
  if (global.json) {
    console.print(to_json(result));
  } else if (build) {
    for (const Line& line : build_lines(result, *build)) console.print(line);
  } else {
    console.error(result.reason.empty() ? std::string(to_string(result.state)) : result.reason);
  }
  return exit_code(result.state, build ? build->status : "");
}

}  // namespace

ExitCode run(const BuildOptions& options, const GlobalOptions& global, Console& console) {
  const Result<BuildRequest> request = request_of(options);
  if (!request.is_ok()) return report(console, global, request.status());
  Result<Client> client = connect(global);
  if (!client.is_ok()) return report(console, global, client.status());
  // From here on Ctrl-C must not lose a task that was submitted.
  Interrupts interrupts;
  const TaskSpec task = task_of(options, *request);
  const Result<Submitted> submitted = client->submit({task});
  if (!submitted.is_ok()) return report(console, global, submitted.status());
  if (options.detach) {
    console.print(global.json ? to_json(std::vector<TaskId>{task.id}) : task.id.text());
    return ExitCode::kOk;
  }
  if (!global.json) console.print(task.id.text());
  console.flush();
  Subscriber events = subscribe(global, std::vector<TaskId>{task.id});
  FollowOptions following;
  following.tasks = {{task.id, request->tags.front(), std::nullopt}};
  following.quiet = global.json;
  following.log = !global.json;
  const Result<Followed> followed = follow(*client, events, interrupts, console, following);
  if (!followed.is_ok()) return report(console, global, followed.status());
  if (followed->pending > 0) {
    if (global.json) console.print(to_json(std::vector<TaskId>{task.id}));
    return ExitCode::kError;
  }
  return print_result(followed->ended.front(), global, console);
}

}  // namespace assay::cli
