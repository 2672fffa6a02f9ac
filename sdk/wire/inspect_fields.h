// Included by fields.h, and part of its one table: what stands in the messages of inspect.h.
#ifndef ASSAY_SDK_WIRE_INSPECT_FIELDS_H_
#define ASSAY_SDK_WIRE_INSPECT_FIELDS_H_

#include "sdk/wire/field.h"

namespace assay::wire {

template <>
struct Fields<DependencyInfo> {
  static constexpr std::tuple kAll{
      required("id", &DependencyInfo::id),
      required("state", &DependencyInfo::state),
  };
};

template <>
struct Fields<Explanation> {
  static constexpr std::tuple kAll{
      required("id", &Explanation::id),
      required("queue", &Explanation::queue),
      required("owner", &Explanation::owner),
      required("state", &Explanation::state),
      optional("position", &Explanation::position),
      optional("queued", &Explanation::queued),
      optional("share_deserved", &Explanation::share_deserved),
      optional("share_used", &Explanation::share_used),
      optional("quota_here", &Explanation::quota_here),
      optional("running_here", &Explanation::running_here),
      optional("quota", &Explanation::quota),
      optional("running", &Explanation::running),
      optional("free_credit", &Explanation::free_credit),
      optional("workers", &Explanation::workers),
      optional("able_workers", &Explanation::able_workers),
      optional("missing_labels", &Explanation::missing_labels),
      optional("waits_for", &Explanation::waits_for),
      optional("not_before", &Explanation::not_before),
      optional("grace_until", &Explanation::grace_until),
      optional("paused", &Explanation::paused),
      optional("quarantined", &Explanation::quarantined),
      optional("shares_run_of", &Explanation::shares_run_of),
      optional("worker", &Explanation::worker),
      optional("worker_says", &Explanation::worker_says),
      optional("estimated", &Explanation::estimated),
      optional("estimate_low_seconds", &Explanation::estimate_low_seconds),
      optional("estimate_high_seconds", &Explanation::estimate_high_seconds),
      optional("because", &Explanation::because),
  };
};

template <>
struct Fields<UsageRow> {
  static constexpr std::tuple kAll{
      required("key", &UsageRow::key),
      required("tasks", &UsageRow::tasks),
      required("succeeded", &UsageRow::succeeded),
      required("failed", &UsageRow::failed),
      optional("usage", &UsageRow::usage),
  };
};

template <>
struct Fields<ScheduleInfo> {
  static constexpr std::tuple kAll{
      required("name", &ScheduleInfo::name),       required("cron", &ScheduleInfo::cron),
      required("queue", &ScheduleInfo::queue),     optional("next_at", &ScheduleInfo::next_at),
      optional("last_at", &ScheduleInfo::last_at), optional("last_task", &ScheduleInfo::last_task),
  };
};

template <>
struct Fields<QuarantineInfo> {
  static constexpr std::tuple kAll{
      required("key", &QuarantineInfo::key),       required("since", &QuarantineInfo::since),
      required("losses", &QuarantineInfo::losses), optional("reason", &QuarantineInfo::reason),
      optional("held", &QuarantineInfo::held),
  };
};

template <>
struct Fields<ExplainRequest> {
  static constexpr MessageType kType = MessageType::kExplain;
  static constexpr std::tuple kAll{
      required("request", &ExplainRequest::request),
      required("id_prefix", &ExplainRequest::id_prefix),
  };
};

template <>
struct Fields<Explained> {
  static constexpr MessageType kType = MessageType::kExplained;
  static constexpr std::tuple kAll{
      required("request", &Explained::request),
      required("task", &Explained::task),
  };
};

template <>
struct Fields<UsageRequest> {
  static constexpr MessageType kType = MessageType::kUsage;
  static constexpr std::tuple kAll{
      required("request", &UsageRequest::request),
      optional("by", &UsageRequest::by),
      optional("since", &UsageRequest::since),
      optional("until", &UsageRequest::until),
  };
};

template <>
struct Fields<UsageList> {
  static constexpr MessageType kType = MessageType::kUsageList;
  static constexpr std::tuple kAll{
      required("request", &UsageList::request),
      optional("rows", &UsageList::rows),
  };
};

template <>
struct Fields<SchedulesRequest> {
  static constexpr MessageType kType = MessageType::kSchedules;
  static constexpr std::tuple kAll{
      required("request", &SchedulesRequest::request),
  };
};

template <>
struct Fields<ScheduleList> {
  static constexpr MessageType kType = MessageType::kScheduleList;
  static constexpr std::tuple kAll{
      required("request", &ScheduleList::request),
      optional("schedules", &ScheduleList::schedules),
  };
};

template <>
struct Fields<QuarantinesRequest> {
  static constexpr MessageType kType = MessageType::kQuarantines;
  static constexpr std::tuple kAll{
      required("request", &QuarantinesRequest::request),
  };
};

template <>
struct Fields<QuarantineList> {
  static constexpr MessageType kType = MessageType::kQuarantineList;
  static constexpr std::tuple kAll{
      required("request", &QuarantineList::request),
      optional("quarantines", &QuarantineList::quarantines),
  };
};

template <>
struct Fields<ReferencesRequest> {
  static constexpr MessageType kType = MessageType::kReferences;
  static constexpr std::tuple kAll{
      required("request", &ReferencesRequest::request),
      required("hashes", &ReferencesRequest::hashes),
  };
};

template <>
struct Fields<Referenced> {
  static constexpr MessageType kType = MessageType::kReferenced;
  static constexpr std::tuple kAll{
      required("request", &Referenced::request),
      optional("hashes", &Referenced::hashes),
  };
};

template <>
struct Fields<SnapshotRequest> {
  static constexpr MessageType kType = MessageType::kSnapshot;
  static constexpr std::tuple kAll{
      required("request", &SnapshotRequest::request),
      optional("queue", &SnapshotRequest::queue),
      optional("tasks", &SnapshotRequest::tasks),
      optional("topic_prefix", &SnapshotRequest::topic_prefix),
      optional("after", &SnapshotRequest::after),
      optional("limit", &SnapshotRequest::limit),
  };
};

template <>
struct Fields<Snapshot> {
  static constexpr MessageType kType = MessageType::kSnapshotAnswer;
  static constexpr std::tuple kAll{
      required("request", &Snapshot::request),
      required("sequence", &Snapshot::sequence),
      optional("complete", &Snapshot::complete),
      optional("events", &Snapshot::events),
  };
};

}  // namespace assay::wire

#endif  // ASSAY_SDK_WIRE_INSPECT_FIELDS_H_
