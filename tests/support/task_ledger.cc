#include "tests/support/task_ledger.h"

#include <algorithm>
#include <vector>

#include "tests/support/replayed_journal.h"

namespace assay::testing {

using journal::Appended;
using journal::Entry;
using journal::EntryView;
using journal::Journal;

namespace {

constexpr std::string_view kSubmitted = "submitted ";
constexpr std::string_view kFinished = "finished ";
constexpr std::string_view kCarried = "carried ";

std::string head(std::string_view what, std::uint64_t task) {
  return std::string(what) + std::to_string(task);
}

}  // namespace

// Some have no body.
std::string TaskLedger::body_of(std::uint64_t task) {
  return pattern(task, task * 53 % 300);
}

Status TaskLedger::change(Journal& journal, std::span<const std::uint64_t> submitted,
                          std::span<const std::uint64_t> finished) {
  std::vector<std::string> texts;
  for (const std::uint64_t task : submitted) {
    texts.push_back(head(kSubmitted, task));
    texts.push_back(body_of(task));
  }
  for (const std::uint64_t task : finished) {
    texts.push_back(head(kFinished, task));
  }
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < submitted.size(); ++i) {
    entries.push_back({texts[2 * i], texts[2 * i + 1]});
  }
  for (std::size_t i = 0; i < finished.size(); ++i) {
    entries.push_back({texts[2 * submitted.size() + i]});
  }
  const Result<Appended> appended = journal.append(entries);
  if (!appended.is_ok()) {
    return appended.status();
  }
  for (std::size_t i = 0; i < submitted.size(); ++i) {
    tasks_[submitted[i]] = appended.value().locations[i];
  }
  for (const std::uint64_t task : finished) {
    tasks_.erase(task);
  }
  return Status::ok();
}

Status TaskLedger::compact(Journal& journal) {
  const std::uint32_t segment = journal.active_segment();
  for (auto& [task, location] : tasks_) {
    if (location.segment >= segment) {
      continue;
    }
    const std::string text = head(kCarried, task);
    const std::string body = body_of(task);
    const Entry entry{text, body};
    const Result<Appended> appended = journal.append({&entry, 1});
    if (!appended.is_ok()) {
      return appended.status();
    }
    location = appended.value().locations[0];
  }
  if (Status status = journal.flush(); !status.is_ok()) {
    return status;
  }
  return journal.drop_segments_before(segment);
}

// The end of a task whose beginning was dropped says nothing.
Status TaskLedger::replay(const EntryView& entry) {
  const std::size_t space = entry.head.find(' ');
  const std::string_view what = entry.head.substr(0, space + 1);
  const std::uint64_t task = std::stoull(std::string(entry.head.substr(space + 1)));
  if (what == kFinished) {
    tasks_.erase(task);
    return Status::ok();
  }
  if (entry.blob != body_of(task)) {
    return internal_error("test", "not the body that was written");
  }
  if (what == kSubmitted && tasks_.contains(task)) {
    return internal_error("test", "submitted twice");
  }
  tasks_[task] = entry.location;
  return Status::ok();
}

std::set<std::uint64_t> TaskLedger::tasks() const {
  std::set<std::uint64_t> tasks;
  for (const auto& [task, location] : tasks_) {
    tasks.insert(task);
  }
  return tasks;
}

Status TaskLedger::check_bodies(Journal& journal) const {
  for (const auto& [task, location] : tasks_) {
    const Result<std::string> body = journal.read(location);
    if (!body.is_ok()) {
      return body.status();
    }
    if (body.value() != body_of(task)) {
      return internal_error("test", "the body of another task");
    }
  }
  return Status::ok();
}

OpenedLedger open_ledger(journal::FileSystem& file_system, const journal::JournalOptions& options,
                         const std::string& directory) {
  OpenedLedger opened;
  Result<std::unique_ptr<Journal>> journal =
      Journal::open(file_system, directory, options,
                    [&](const EntryView& entry) { return opened.ledger.replay(entry); });
  opened.status = journal.status();
  if (journal.is_ok()) {
    opened.journal = std::move(journal).value();
  }
  return opened;
}

}  // namespace assay::testing
