// Every bound of the broker, with its unit in its name. Over a bound the broker refuses with a
// reply; it never drops in silence. Deployments may lower or raise those in CoreOptions; these are
// the defaults.
#ifndef ASSAY_BROKER_CORE_LIMITS_H_
#define ASSAY_BROKER_CORE_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "assay/ids.h"
#include "broker/core/schedule.h"

namespace assay::core {

inline constexpr std::uint8_t kPriorityMax = 9;
inline constexpr std::size_t kPriorityCount = kPriorityMax + 1;

inline constexpr std::size_t kQueueCountMax = 1000;
inline constexpr std::size_t kScheduleCountMax = 500;
inline constexpr std::size_t kOwnerCountMax = 100'000;
inline constexpr std::size_t kRequireSetCountMax = 10'000;  // different sets of required labels
inline constexpr std::size_t kDependenciesPerTaskMax = 1000;
inline constexpr std::uint32_t kCostMax = 10'000;
inline constexpr std::size_t kTasksPerListMax = 1000;
inline constexpr std::size_t kTasksPerPurgeMax = 10'000;  // in one OPERATE: ask again for the rest
inline constexpr std::size_t kParcelBytesMax =
    16 << 20;  // a task's body and the results that travel with it
inline constexpr std::size_t kAwaitsPerClientMax = 200'000;
inline constexpr std::uint32_t kSlotsPerWorkerMax = 10'000;
// Of all workers together; over it each beats more rarely, up to a third of its lease.
inline constexpr Duration::rep kHeartbeatsPerSecondMax = 1000;
inline constexpr std::size_t kTasksPerDispatchMax = 256;   // in one TASKS message
inline constexpr std::size_t kDispatchBytesMax = 4 << 20;  // of bodies in one TASKS message
inline constexpr std::size_t kResultsPerPushMax = 256;     // in one RESULTS message
inline constexpr std::size_t kResultBytesPerPushMax = 8 << 20;
inline constexpr std::size_t kEventsPerReplyMax = 5000;
inline constexpr std::size_t kTextBytesMax = 64 << 10;  // a reason, a progress text, a log excerpt
inline constexpr std::size_t kAttemptHistoryMax = 100;  // attempts kept in a task's story
inline constexpr Duration kRetryDelayMax = std::chrono::hours(24 * 7);  // that a worker may ask for
inline constexpr double kUsageMax = 1e18;        // of one attempt: what is over it was not measured
inline constexpr Duration kSnoozeDelayMin{100};  // a worker that always snoozes must not spin
inline constexpr std::size_t kCacheKeyBytesMax = 512;
inline constexpr std::size_t kTraceparentBytesMax = 512;
inline constexpr std::size_t kArtifactsPerTaskMax = 1000;
inline constexpr std::size_t kSuspectCountMax = 10'000;
inline constexpr std::size_t kQuarantineCountMax =
    1000;                                             // beyond, losses_max alone bounds the harm
inline constexpr std::size_t kIdPrefixLengthMin = 4;  // characters of a shortened id

// A broker that restarts goes on numbering events this far beyond the last durable one, so that no
// number that a subscriber saw before the crash is given to another event.
inline constexpr std::uint64_t kSequenceJumpAtStart = 1 << 24;

// How much of a queue's time an owner deserves, and how much it may have running.
struct OwnerRule {
  std::uint32_t weight = 1;            // 1 to 1000
  std::uint32_t running_cost_max = 0;  // over all queues; 0: no bound
  std::uint64_t tasks_max = 0;         // that have not ended, over all queues; 0: no bound
};

// What a queue may be told apart from the others.
struct QueueRule {
  std::optional<std::uint64_t> tasks_max;
  std::optional<std::uint64_t> bytes_max;
  std::uint32_t owner_running_cost_max = 0;  // of each owner, in this queue; 0: no bound
};

struct CoreOptions {
  Duration heartbeat_every{1000};
  Duration lease{10'000};               // a worker silent for so long loses its tasks
  Duration adoption_grace{10'000};      // after a start: time for workers to name what they hold
  Duration client_silence{60'000};      // a client silent for so long loses its waits
  std::uint32_t losses_max = 5;         // lost with so many workers, a task is dead
  std::uint32_t quarantine_losses = 8;  // of workers by one body or image, without a success
  std::uint64_t queue_tasks_max = 1'000'000;   // waiting and queued, a queue
  std::uint64_t queue_bytes_max = 4ULL << 30;  // of their bodies
  std::uint64_t owner_tasks_max = 0;           // not ended, of an owner without a bound of its own
  std::uint64_t client_tasks_max = 0;          // submitted by one client, not ended; 0: no bound
  Duration ageing_step{300'000};               // waiting for so long lifts a task by one priority
  std::map<OwnerName, OwnerRule> owners;
  std::map<QueueName, QueueRule> queues;
  std::map<std::string, Schedule> schedules;  // by name
  bool history = false;                       // there is one: what memory has let go is asked there
  std::uint64_t seed = 1;                     // of the jitter of backoffs
  std::size_t ended_tasks_kept_max = 200'000;  // the oldest are forgotten beyond
  std::size_t events_kept_max = 200'000;
  std::size_t event_bytes_kept_max = 64 << 20;
};

static_assert(kTasksPerDispatchMax <= kSlotsPerWorkerMax);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_LIMITS_H_
