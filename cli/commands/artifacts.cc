// assay artifacts: the files of tasks, where they live. It needs no broker.
#include "assay/artifacts.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"
#include "cli/up/data_directory.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string location_of(const ArtifactsOptions& options) {
  if (!options.store.empty()) return options.store;
  const char* given = std::getenv("ASSAY_ARTIFACTS");  // NOLINT(concurrency-mt-unsafe): one thread
  if (given != nullptr && *given != '\0') return given;
  return default_data_directory() + "/artifacts";
}

Status bad_name(const std::string& text) {
  return fix_input("invalid_name",
                   "expected TASK/NAME such as 01HZ.../log.txt, or a hash of 64 "
                   "digits, found '" +
                       text + "'; see 'assay artifacts list'");
}

// "01HZ.../log.txt", the task's id in full.
Result<ArtifactName> parse_name(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto task = TaskId::parse(text.substr(0, slash));
  if (slash == std::string::npos || !task) return bad_name(text);
  ArtifactName name{*task, text.substr(slash + 1)};
  if (!valid_artifact_name(name.name)) return bad_name(text);
  return name;
}

// The one task with names in the store whose id begins so.
Result<TaskId> resolve_task(ArtifactStore& store, const std::string& prefix) {
  if (const auto whole = TaskId::parse(prefix)) return *whole;
  std::string wanted = prefix;
  for (char& c : wanted) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::map<TaskId, bool> found;
  const Status listed = store.list_names(std::nullopt, [&](const NamedArtifact& one) {
    if (one.name.task.text().starts_with(wanted)) found[one.name.task] = true;
    return Status::ok();
  });
  if (!listed.is_ok()) return listed;
  if (found.size() == 1) return found.begin()->first;
  if (found.empty()) return not_found("unknown_task", "no task '" + prefix + "' has artifacts");
  return fix_input("ambiguous_id", "'" + prefix + "' begins the ids of " +
                                       std::to_string(found.size()) + " tasks; give more of it");
}

Json form_of(const NamedArtifact& named, const ArtifactInfo& info) {
  return {{"task", named.name.task.text()},
          {"name", named.name.name},
          {"sha256", info.hash.text()},
          {"bytes", info.bytes},
          {"stored_at", format_utc(info.stored_at)}};
}

Json form_of(const ArtifactInfo& info) {
  return {{"task", nullptr},
          {"name", nullptr},
          {"sha256", info.hash.text()},
          {"bytes", info.bytes},
          {"stored_at", format_utc(info.stored_at)}};
}

// All names, or a task's; without a task, also what has no name.
Result<Json> gather(ArtifactStore& store, const std::string& task) {
  Json list = Json::array();
  std::optional<TaskId> only;
  if (!task.empty()) {
    const Result<TaskId> id = resolve_task(store, task);
    if (!id.is_ok()) return id.status();
    only = *id;
  }
  std::map<ArtifactHash, bool> named_ones;
  Status status = store.list_names(only, [&](const NamedArtifact& one) {
    const Result<ArtifactInfo> info = store.stat(one.hash);
    if (info.is_ok()) {
      list.push_back(form_of(one, *info));
      named_ones[one.hash] = true;
    }
    return info.is_ok() || info.status().code() == Code::kNotFound ? Status::ok() : info.status();
  });
  if (!status.is_ok()) return status;
  if (only) return list;
  status = store.list([&](const ArtifactInfo& info) {
    if (!named_ones.contains(info.hash)) list.push_back(form_of(info));
    return Status::ok();
  });
  if (!status.is_ok()) return status;
  return list;
}

Status print_list(ArtifactStore& store, const ArtifactsOptions& options,
                  const GlobalOptions& global, Console& console) {
  const Result<Json> list = gather(store, options.what);
  if (!list.is_ok()) return list.status();
  if (global.json) {
    console.print(Json{{"artifacts", *list}}.dump(-1, ' ', false, Json::error_handler_t::replace));
    return Status::ok();
  }
  if (list->empty()) {
    console.print("no artifacts");
    return Status::ok();
  }
  Table table{{{"TASK"}, {"BYTES", true}, {"STORED"}, {"SHA256"}, {"NAME"}}, {}};
  for (const Json& one : *list) {
    const bool named = one["task"].is_string();
    table.rows.push_back({named ? one["task"].get<std::string>() : std::string("-"),
                          std::to_string(one["bytes"].get<std::uint64_t>()),
                          one["stored_at"].get<std::string>(), one["sha256"].get<std::string>(),
                          named ? printable(one["name"].get<std::string>()) : std::string("-")});
  }
  console.print(table);
  return Status::ok();
}

Result<ArtifactHash> hash_of(ArtifactStore& store, const std::string& what) {
  if (const auto hash = ArtifactHash::parse(what)) return *hash;
  const std::size_t slash = what.find('/');
  if (slash == std::string::npos) return bad_name(what);
  const Result<TaskId> task = resolve_task(store, what.substr(0, slash));
  if (!task.is_ok()) return task.status();
  const Result<NamedArtifact> named = store.find_name({*task, what.substr(slash + 1)});
  if (!named.is_ok()) return named.status();
  return named->hash;
}

// To standard output as it comes; to a file beside it first, so that FILE is never half of it.
Status get(ArtifactStore& store, const ArtifactsOptions& options, Console& console) {
  const Result<ArtifactHash> hash = hash_of(store, options.what);
  if (!hash.is_ok()) return hash.status();
  if (options.output.empty()) {
    return store.get(*hash, {}, [&](std::string_view bytes) {
      console.write(bytes);
      return console.flush() ? Status::ok()
                             : internal_error("unwritable_file", "standard output is closed");
    });
  }
  const std::string beside = options.output + ".part";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  Status status = store.get(*hash, {}, [&](std::string_view bytes) {
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file ? Status::ok()
                : internal_error("unwritable_file", "cannot write '" + options.output + "'");
  });
  file.close();
  if (status.is_ok() && (!file || std::rename(beside.c_str(), options.output.c_str()) != 0)) {
    status = internal_error("unwritable_file", "cannot write '" + options.output + "'");
  }
  if (!status.is_ok()) std::remove(beside.c_str());
  return status;
}

Status put(ArtifactStore& store, const ArtifactsOptions& options, const GlobalOptions& global,
           Console& console) {
  ArtifactName name;
  if (!options.name.empty()) {
    const Result<ArtifactName> parsed = parse_name(options.name);
    if (!parsed.is_ok()) return parsed.status();
    name = *parsed;
  }
  const Result<ByteSource> source = bytes_of_file(options.what);
  if (!source.is_ok()) return source.status();
  const Result<ArtifactInfo> info = store.put(*source);
  if (!info.is_ok()) return info.status();
  if (!options.name.empty()) {
    const Status named = store.set_name(name, info->hash);
    if (!named.is_ok()) return named;
  }
  if (global.json) {
    console.print(Json{{"sha256", info->hash.text()}, {"bytes", info->bytes}}.dump());
  } else {
    console.print(info->hash.text());
  }
  return Status::ok();
}

}  // namespace

ExitCode run(const ArtifactsOptions& options, const GlobalOptions& global, Console& console) {
  auto store = open_artifacts({.location = location_of(options)});
  if (!store.is_ok()) return report(console, global, store.status());
  const Status status = options.action == "list"  ? print_list(**store, options, global, console)
                        : options.action == "get" ? get(**store, options, console)
                                                  : put(**store, options, global, console);
  return status.is_ok() ? ExitCode::kOk : report(console, global, status);
}

}  // namespace assay::cli
