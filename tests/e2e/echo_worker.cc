// echo_worker ENDPOINT NAME SLOTS [DONE_FILE]: answers each task with its body, and the results of
// what it comes after. A body "sleep 200 ..." takes 200 ms. Each attempt that it has finished is a
// line in DONE_FILE.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "assay/worker.h"

namespace {

assay::Worker* the_worker = nullptr;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int done_file = argc > 4 ? open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
  assay::Worker worker(
      {.endpoint = argv[1],
       .name = argv[2],
       .queues = {assay::QueueName("echo")},
       .slots = static_cast<std::uint32_t>(std::atoi(argv[3]))},
      [&](const assay::TaskAssignment& task, assay::TaskContext& context) {
        if (task.body.starts_with("sleep ")) {
          context.progress(0, 1, "sleeping");
          context.wait_cancelled(assay::Duration(std::atoi(task.body.c_str() + 6)));
          if (context.cancelled()) return assay::TaskOutcome::cancelled();
        }
        const std::string line = task.id.text() + " " + std::to_string(task.attempt.number) + "\n";
        if (done_file >= 0 && write(done_file, line.data(), line.size()) < 0) {
          return assay::TaskOutcome::retry("cannot write");
        }
        std::string answer = task.body;
        for (const assay::TaskInput& input : task.inputs) answer += "+" + input.result;
        return assay::TaskOutcome::done(answer);
      });
  the_worker = &worker;
  std::signal(SIGTERM, [](int) { the_worker->request_stop(); });
  return worker.run().is_ok() ? 0 : 1;
}
