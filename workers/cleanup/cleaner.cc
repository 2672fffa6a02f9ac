#include "workers/cleanup/cleaner.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "workers/cleanup/audit.h"
#include "workers/cleanup/plan.h"
#include "workers/cleanup/report_folders.h"
#include "workers/cleanup/tally.h"

namespace assay::cleanup {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kHashesAtOnce = 1000;
constexpr std::size_t kTasksAtOnce = 500;
constexpr std::size_t kItemsListed = 1000;
constexpr Duration kRetryDelay{60'000};

std::vector<Doomed> slice(const std::vector<Doomed>& all, std::size_t from, std::size_t count) {
  const std::size_t to = std::min(all.size(), from + count);
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(to)};
}

class Sweep {
 public:
  Sweep(const CleanerSettings& settings, ArtifactStore* artifacts, BrokerView& broker,
        const Policy& policy, Audit& audit, const TaskAssignment& task, TaskContext& context)
      : settings_(settings),
        artifacts_(artifacts),
        broker_(broker),
        policy_(policy),
        audit_(audit),
        task_(task.id.text()),
        context_(context) {}

  Status run() {
    context_.progress(0, 3, "tasks");
    Status status = sweep_tasks();
    if (!status.is_ok() || context_.cancelled()) return status;
    context_.progress(1, 3, "artifacts");
    if (artifacts_ != nullptr) status = sweep_artifacts();
    if (!status.is_ok() || context_.cancelled()) return status;
    context_.progress(2, 3, "reports");
    if (!settings_.reports_folder.empty()) status = sweep_reports();
    if (status.is_ok()) context_.progress(3, 3, "done");
    return status;
  }

  std::string result() const { return to_json(policy_.dry_run, tallies_, items_); }

 private:
  bool keeps(const std::map<std::string, std::string>& labels) const {
    return std::any_of(policy_.keep_labels.begin(), policy_.keep_labels.end(),
                       [&](const auto& wanted) {
                         const auto found = labels.find(wanted.first);
                         return found != labels.end() && found->second == wanted.second;
                       });
  }

  void count(const std::string& kind, const Doomed& doomed) {
    ++tallies_[kind].removed;
    tallies_[kind].bytes += doomed.item.bytes;
    if (items_.size() >= kItemsListed) return;
    items_.emplace_back(kind, doomed);
  }

  // The record first: nothing goes without one. A batch shares its flush.
  Status record(const std::string& kind, const std::vector<Doomed>& batch) {
    for (const Doomed& doomed : batch) {
      Status status = audit_.record(settings_.now(), task_, kind, doomed);
      if (!status.is_ok()) return status;
    }
    return batch.empty() ? Status::ok() : audit_.flush();
  }

  Status sweep_tasks() {
    ListRequest request;
    request.states = {TaskState::kSucceeded, TaskState::kFailed, TaskState::kDead,
                      TaskState::kCancelled};
    request.limit = 1000;
    std::vector<Item> items;
    std::map<std::string, TaskId> ids;
    while (true) {
      const Result<TaskList> list = broker_.list(request);
      if (!list.is_ok()) return list.status();
      for (const TaskInfo& info : list->tasks) {
        if (keeps(info.labels)) {
          ++tallies_["tasks"].labelled;
          continue;
        }
        if (!info.ended_at) continue;
        items.push_back({info.id.text(), *info.ended_at, 0});
        ids[info.id.text()] = info.id;
      }
      // The second: a broker that does not page.
      if (list->complete || list->tasks.empty() || request.after == list->tasks.back().id) break;
      request.after = list->tasks.back().id;
    }
    const auto doomed =
        plan(std::move(items), policy_.tasks, policy_.safety_delay, settings_.now());
    for (std::size_t at = 0; at < doomed.size() && !context_.cancelled(); at += kTasksAtOnce) {
      Status status = forget(slice(doomed, at, kTasksAtOnce), ids);
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }

  Status forget(const std::vector<Doomed>& batch, const std::map<std::string, TaskId>& ids) {
    if (policy_.dry_run) {
      for (const Doomed& doomed : batch) count("tasks", doomed);
      return Status::ok();
    }
    Status status = record("task", batch);
    if (!status.is_ok()) return status;
    for (const Doomed& doomed : batch) {
      const TaskId id = ids.at(doomed.item.id);
      // One by one: all of a request change or none, and one that another needs must not stop the
      // others.
      const Result<std::uint64_t> forgotten = broker_.forget(std::span(&id, 1));
      if (forgotten.is_ok()) {
        count("tasks", doomed);
      } else if (forgotten.status().code() == Code::kConflict) {
        ++tallies_["tasks"].referenced;
      } else if (forgotten.status().code() != Code::kNotFound) {
        return forgotten.status();
      }
    }
    return Status::ok();
  }

  // The hashes that tasks with a label to keep them have given names to.
  Result<std::set<ArtifactHash>> kept_by_label() {
    std::map<TaskId, bool> known;
    std::set<ArtifactHash> out;
    Status status = artifacts_->list_names(std::nullopt, [&](const NamedArtifact& named) {
      auto found = known.find(named.name.task);
      if (found == known.end()) {
        const Result<TaskInfo> info = broker_.status(named.name.task);
        // Forgotten tasks have no labels any more; any other failure must not cost an artifact.
        if (!info.is_ok() && info.status().code() != Code::kNotFound) return info.status();
        found = known.emplace(named.name.task, info.is_ok() && keeps(info->labels)).first;
      }
      if (found->second) out.insert(named.hash);
      return Status::ok();
    });
    if (!status.is_ok()) return status;
    return out;
  }

  Status sweep_artifacts() {
    std::vector<Item> items;
    Status status = artifacts_->list([&](const ArtifactInfo& info) {
      items.push_back({info.hash.text(), info.stored_at, info.bytes});
      return Status::ok();
    });
    if (!status.is_ok()) return status;
    auto doomed = plan(std::move(items), policy_.artifacts, policy_.safety_delay, settings_.now());
    if (!doomed.empty() && !policy_.keep_labels.empty()) {
      const auto kept = kept_by_label();
      if (!kept.is_ok()) return kept.status();
      tallies_["artifacts"].labelled += std::erase_if(doomed, [&](const Doomed& one) {
        return kept->contains(*ArtifactHash::parse(one.item.id));
      });
    }
    for (std::size_t at = 0; at < doomed.size() && !context_.cancelled(); at += kHashesAtOnce) {
      status = remove_artifacts(slice(doomed, at, kHashesAtOnce));
      if (!status.is_ok()) return status;
    }
    return policy_.dry_run ? Status::ok() : drop_names();
  }

  // Out of sight first, then the question, then either back or gone: a task that was accepted
  // before the question is seen by it, and whoever stores the content or asks for it after the
  // removal from sight brings it back or stores it anew.
  Status remove_artifacts(std::vector<Doomed> batch) {
    Status status = drop_referenced(batch);
    if (!status.is_ok()) return status;
    if (policy_.dry_run) {
      for (const Doomed& one : batch) count("artifacts", one);
      return Status::ok();
    }
    status = record("artifact", batch);
    if (!status.is_ok()) return status;
    for (const Doomed& one : batch) {
      if (context_.cancelled()) return Status::ok();
      const ArtifactHash hash = *ArtifactHash::parse(one.item.id);
      const Status removed =
          artifacts_->remove(hash, settings_.now() - policy_.safety_delay, [&]() -> Result<bool> {
            const Result<std::vector<std::string>> needed =
                broker_.references(std::span(&one.item.id, 1));
            if (!needed.is_ok()) return needed.status();
            return needed->empty();
          });
      if (removed.is_ok()) {
        count("artifacts", one);
      } else if (removed.reason() == "artifact_is_needed") {
        ++tallies_["artifacts"].referenced;
      } else if (removed.code() == Code::kConflict) {
        ++tallies_["artifacts"].young;
      } else if (removed.code() != Code::kNotFound) {
        return removed;
      }
    }
    return Status::ok();
  }

  Status drop_referenced(std::vector<Doomed>& batch) {
    std::vector<std::string> hashes;
    for (const Doomed& one : batch) hashes.push_back(one.item.id);
    const Result<std::vector<std::string>> needed = broker_.references(hashes);
    if (!needed.is_ok()) return needed.status();
    const std::set<std::string> referenced(needed->begin(), needed->end());
    tallies_["artifacts"].referenced +=
        std::erase_if(batch, [&](const Doomed& one) { return referenced.contains(one.item.id); });
    return Status::ok();
  }

  // Names of what is gone.
  Status drop_names() {
    std::vector<ArtifactName> gone;
    Status status = artifacts_->list_names(std::nullopt, [&](const NamedArtifact& named) {
      const Result<ArtifactInfo> info = artifacts_->stat(named.hash);
      if (info.is_ok()) return Status::ok();
      if (info.status().code() != Code::kNotFound) return info.status();
      gone.push_back(named.name);
      return Status::ok();
    });
    for (const ArtifactName& name : gone) {
      const Status removed = artifacts_->remove_name(name);
      if (!removed.is_ok() && removed.code() != Code::kNotFound) return removed;
    }
    return status;
  }

  Status sweep_reports() {
    std::vector<Item> items = reports_in(settings_.reports_folder);
    std::error_code error;
    const auto doomed =
        plan(std::move(items), policy_.reports, policy_.safety_delay, settings_.now());
    Status status = policy_.dry_run ? Status::ok() : record("report", doomed);
    for (const Doomed& one : doomed) {
      if (!status.is_ok() || context_.cancelled()) break;
      if (!policy_.dry_run) fs::remove_all(fs::path(settings_.reports_folder) / one.item.id, error);
      count("reports", one);
    }
    return status;
  }

  const CleanerSettings& settings_;
  ArtifactStore* artifacts_;
  BrokerView& broker_;
  const Policy& policy_;
  Audit& audit_;
  std::string task_;
  TaskContext& context_;
  std::map<std::string, Tally> tallies_{{"artifacts", {}}, {"reports", {}}, {"tasks", {}}};
  std::vector<Gone> items_;
};

}  // namespace

TaskOutcome Cleaner::run(const TaskAssignment& task, TaskContext& context) const {
  const Result<Policy> policy = read_policy(task.body, settings_.policy);
  if (!policy.is_ok()) return TaskOutcome::failed(policy.status().message());
  const auto broker = settings_.broker();
  if (broker == nullptr) {
    return TaskOutcome::failed(
        "cleanup asks the broker what is still needed; set `clients` of this "
        "worker to the broker's socket for clients");
  }
  Result<Audit> audit = Audit::open(settings_.data_folder + "/audit.jsonl");
  if (!audit.is_ok()) {
    return TaskOutcome::retry(audit.status().message(), kRetryDelay, Cause::kInfrastructure);
  }
  Sweep sweep(settings_, artifacts_, *broker, *policy, *audit, task, context);
  const Status status = sweep.run();
  if (context.cancelled()) return TaskOutcome::cancelled(sweep.result());
  if (status.is_ok()) return TaskOutcome::done(sweep.result());
  TaskOutcome outcome = TaskOutcome::retry(status.message(), kRetryDelay, Cause::kInfrastructure);
  outcome.result = sweep.result();
  return outcome;
}

}  // namespace assay::cleanup
