// How fast a history follows a stream of records: tasks that are submitted, leased and finished.
// Prints what it measured and asserts nothing. measure_history [TASKS] [BATCH] [BACKLOG]: BACKLOG
// tasks are submitted before the first of them is leased, and finished in an order of their own.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "broker/history/history.h"
#include "broker/history/reader.h"
#include "tests/unit/history/record_stream.h"

namespace {

using namespace assay;                    // NOLINT(google-build-using-namespace): a program
using namespace assay::history;           // NOLINT(google-build-using-namespace): as above
using namespace assay::history::testing;  // NOLINT(google-build-using-namespace): as above

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Stream make_stream(std::uint64_t tasks, std::size_t batch_records, std::uint64_t backlog) {
  std::mt19937_64 random(1);
  Stream stream;
  std::uint64_t sequence = 0;
  Time now = kStart;
  const auto add = [&](core::Record record, std::string blob = {}) {
    if (stream.empty() || stream.back().records.size() == batch_records) {
      stream.push_back({.sequence = stream.size() + 1, .records = {}});
      now += Duration(1);
    }
    stream.back().records.push_back(stored(std::move(record), std::move(blob)));
  };
  std::vector<TaskId> queued;
  const auto run_one = [&] {
    std::swap(queued[random() % queued.size()], queued.back());
    const TaskId id = queued.back();
    queued.pop_back();
    add(core::TaskLeased{.sequence = ++sequence,
                         .id = id,
                         .at = now,
                         .attempt = Attempt{1},
                         .worker = WorkerName("worker-1")});
    add(core::TaskEnded{.sequence = ++sequence, .id = id, .at = now, .attempt = Attempt{1}},
        std::string(64, 'r'));
  };
  for (std::uint64_t i = 0; i < tasks; ++i) {
    TaskId id = TaskId::make(now);
    add(core::TaskSubmitted{.sequence = ++sequence,
                            .id = id,
                            .at = now,
                            .queue = QueueName("eval"),
                            .owner = OwnerName("owner" + std::to_string(random() % 100)),
                            .labels = {{"run", "r" + std::to_string(random() % 1000)}}});
    queued.push_back(id);
    if (queued.size() > backlog) run_one();
  }
  while (!queued.empty()) run_one();
  return stream;
}

void ask(const std::string& path) {
  auto reader = Reader::open(path);
  if (!reader.is_ok()) return;
  const auto timed = [](const char* what, auto query) {
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = query();
    std::printf("  %-44s %8.2f ms%s\n", what, 1000 * seconds_since(begin),
                answer.is_ok() ? "" : answer.status().reason().c_str());
  };
  const OwnerName owner("owner7");
  timed("list, 100 tasks", [&] { return reader->list({}, 100); });
  timed("list of an owner", [&] { return reader->list({.owner = owner}, 100); });
  timed("list of an owner's failed (there are none)",
        [&] { return reader->list({.state = TaskState::kFailed, .owner = owner}, 100); });
  timed("list of a label", [&] { return reader->list({.labels = {{"run", "r7"}}}, 100); });
  const auto page = reader->list({}, 1);
  timed("one task", [&] { return reader->task(page.value().tasks.at(0).id.text()); });
  timed("usage by owner", [&] { return reader->usage({.by_owner = true}); });
  timed("counts of all time", [&] { return reader->counts({}, {}); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t tasks = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 300'000;
  const std::size_t batch = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 128;
  const std::uint64_t backlog = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1000;
  const Stream stream = make_stream(tasks, batch, backlog);
  std::vector<std::vector<journal::Entry>> offered;
  for (const StoredBatch& each : stream) offered.push_back(each.as_offered());
  const std::string path = std::filesystem::temp_directory_path() / "assay-measure-history.db";
  std::filesystem::remove(path);

  HistoryOptions options;
  options.path = path;
  options.journal_id = 1;
  options.now = [] { return kStart; };
  options.replay = [&](std::uint64_t after, std::uint64_t through, const BatchVisitor& visit) {
    return tell(stream, after, through, visit);
  };
  // Nothing falls behind, or it would cost the loop less than it does.
  options.offered_records_max = 4 * tasks;
  options.offered_bytes_max = 1ULL << 30;
  auto history = History::open(std::move(options));
  if (!history.is_ok()) return 1;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < stream.size(); ++i) (*history)->offer(stream[i].sequence, offered[i]);
  const double offering = seconds_since(begin);
  const bool done = (*history)->wait_for(stream.back().sequence, std::chrono::hours(1));
  const double all = seconds_since(begin);
  const HistoryCounters counters = (*history)->counters();
  const auto count = static_cast<double>(tasks);
  std::printf("%.0f tasks, %.0f records, batches of %zu, backlog of %llu%s\n", count, 3 * count,
              batch, static_cast<unsigned long long>(backlog), done ? "" : ": NOT DONE");
  std::printf("  offering, in the loop's thread: %.0f ns a record\n", offering * 1e9 / (3 * count));
  std::printf("  history: %.0f tasks/s, %.0f records/s; %llu transactions, %llu gaps, %.0f MB\n",
              count / all, 3 * count / all, static_cast<unsigned long long>(counters.transactions),
              static_cast<unsigned long long>(counters.gaps),
              static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  ask(path);
  history->reset();
  static_cast<void>(std::filesystem::remove(path));
  return 0;
}
