#include "workers/report/webhook/post_office.h"

#include <chrono>
#include <utility>

namespace assay::report {

Result<std::unique_ptr<PostOffice>> PostOffice::open(const std::string& folder,
                                                     const std::vector<Endpoint>& endpoints,
                                                     Send send) {
  auto office = std::make_unique<PostOffice>();
  for (const Endpoint& endpoint : endpoints) {
    Result<std::unique_ptr<Spool>> spool = Spool::open(folder + "/" + endpoint.name);
    if (!spool.is_ok()) return spool.status();
    Desk& desk = office->desks_[endpoint.name];
    desk.spool = std::move(*spool);
    desk.courier = std::make_unique<Courier>(endpoint, *desk.spool, send);
  }
  return office;
}

PostOffice::~PostOffice() {
  for (auto& [name, desk] : desks_) desk.thread.request_stop();
}

void PostOffice::start() {
  for (auto& [name, desk] : desks_) {
    desk.thread = std::jthread([this, &desk](std::stop_token stop) { deliver(stop, desk); });
  }
}

void PostOffice::deliver(std::stop_token stop, Desk& desk) {
  while (!stop.stop_requested()) {
    const Time now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const Duration wait = desk.courier->step(now);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, wait, [&] { return desk.woken; });
    desk.woken = false;
  }
}

Status PostOffice::post(const std::string& endpoint, const std::string& id,
                        const std::string& body) {
  const auto found = desks_.find(endpoint);
  if (found == desks_.end()) {
    return fix_input("unknown_webhook", "this worker's configuration has no webhook '" + endpoint +
                                            "'; add it under `webhooks`");
  }
  Status status = found->second.spool->add(id, body);
  if (!status.is_ok()) return status;
  const std::lock_guard lock(mutex_);
  found->second.woken = true;
  wake_.notify_all();
  return Status::ok();
}

Spool* PostOffice::spool(const std::string& endpoint) {
  const auto found = desks_.find(endpoint);
  return found == desks_.end() ? nullptr : found->second.spool.get();
}

std::vector<std::string> PostOffice::names() const {
  std::vector<std::string> out;
  for (const auto& [name, desk] : desks_) out.push_back(name);
  return out;
}

}  // namespace assay::report
