// A worker in a page: takes tasks from the queue `shout` and answers with their body in capitals.
//   shout-worker [tcp://127.0.0.1:5556]
#include <assay/worker.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <iostream>

static assay::Worker* running = nullptr;

static assay::TaskOutcome shout(const assay::TaskAssignment& task, assay::TaskContext& context) {
  if (task.body.empty()) return assay::TaskOutcome::failed("there is nothing to shout");
  std::string loud = task.body;
  std::ranges::transform(loud, loud.begin(), [](unsigned char c) { return std::toupper(c); });
  context.progress(1, 1, "shouted " + std::to_string(loud.size()) + " bytes");
  return assay::TaskOutcome::done(loud);
}

int main(int argc, char** argv) {
  assay::WorkerOptions options;
  options.queues = {assay::QueueName("shout")};
  options.slots = 4;
  if (argc > 1) options.endpoint = argv[1];

  assay::Worker worker(options, shout);
  running = &worker;
  std::signal(SIGTERM, [](int) { running->request_stop(); });
  std::signal(SIGINT, [](int) { running->request_stop(); });

  const assay::Status status = worker.run();
  if (!status.is_ok()) std::cerr << "shout-worker: " << status.to_string() << '\n';
  return status.is_ok() ? 0 : 1;
}
