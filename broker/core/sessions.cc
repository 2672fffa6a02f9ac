#include "broker/core/sessions.h"

#include <algorithm>

#include "assay/status.h"

namespace assay::core {
namespace {

template <typename Map, typename Key>
auto* find_in(Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

WorkerSession* Sessions::worker(PeerId peer) {
  return find_in(workers_, peer);
}

WorkerSession* Sessions::worker_named(const WorkerName& name) {
  const PeerId* peer = find_in(workers_by_name_, name);
  return peer == nullptr ? nullptr : worker(*peer);
}

ClientSession* Sessions::client(PeerId peer) {
  return find_in(clients_, peer);
}

WorkerSession& Sessions::add_worker(WorkerSession session) {
  const PeerId peer = session.peer;
  workers_by_name_[session.name] = peer;
  WorkerSession& added = workers_[peer] = std::move(session);
  note_ready(added);
  return added;
}

void Sessions::remove_worker(PeerId peer) {
  WorkerSession* session = worker(peer);
  ASSAY_ASSERT(session != nullptr && session->held.empty());
  const auto named = workers_by_name_.find(session->name);
  if (named != workers_by_name_.end() && named->second == peer) workers_by_name_.erase(named);
  workers_.erase(peer);  // its places in the lines are found empty when their turn comes
}

ClientSession& Sessions::add_client(PeerId peer, Time now) {
  return clients_.insert_or_assign(peer, ClientSession{peer, now, {}}).first->second;
}

void Sessions::remove_client(PeerId peer) {
  ClientSession* session = client(peer);
  if (session == nullptr) return;
  for (const auto& [task, request] : session->awaits) {
    const auto waiting = awaiters_.find(task);
    if (waiting == awaiters_.end()) continue;
    waiting->second.erase(peer);
    if (waiting->second.empty()) awaiters_.erase(waiting);
  }
  clients_.erase(peer);
}

WorkerSession* Sessions::next_ready(QueueIndex queue) {
  Line& line = lines_[queue];
  while (!line.order.empty()) {
    const PeerId peer = line.order.front();
    line.order.pop_front();
    WorkerSession* session = worker(peer);
    if (session == nullptr || session->free_slots() == 0 ||
        std::find(session->queues.begin(), session->queues.end(), queue) == session->queues.end()) {
      line.members.erase(peer);
      continue;
    }
    line.order.push_back(peer);
    return session;
  }
  return nullptr;
}

void Sessions::note_ready(const WorkerSession& session) {
  if (session.free_slots() == 0) return;
  for (QueueIndex queue : session.queues) {
    Line& line = lines_[queue];
    if (line.members.insert(session.peer).second) line.order.push_back(session.peer);
  }
}

std::size_t Sessions::line_length(QueueIndex queue) const {
  const auto line = lines_.find(queue);
  return line == lines_.end() ? 0 : line->second.order.size();
}

void Sessions::add_await(ClientSession& session, TaskIndex task, std::uint64_t request) {
  const auto [from, to] = session.awaits.equal_range(task);
  // One place in each table for a client and a task, however often it asks.
  if (from == to) awaiters_[task].insert(session.peer);
  const bool is_known =
      std::any_of(from, to, [&](const auto& entry) { return entry.second == request; });
  if (!is_known) session.awaits.emplace(task, request);
}

std::vector<std::pair<PeerId, std::uint64_t>> Sessions::take_awaits(TaskIndex task) {
  std::vector<std::pair<PeerId, std::uint64_t>> waiting;
  const auto found = awaiters_.find(task);
  if (found == awaiters_.end()) return waiting;
  const std::set<PeerId> peers = std::move(found->second);
  awaiters_.erase(found);
  for (PeerId peer : peers) {
    ClientSession* session = client(peer);
    if (session == nullptr) continue;
    const auto [first, last] = session->awaits.equal_range(task);
    for (auto entry = first; entry != last; ++entry) waiting.emplace_back(peer, entry->second);
    session->awaits.erase(first, last);
  }
  return waiting;
}

void Sessions::add_in_flight(ClientSession& session, TaskIndex task) {
  submitters_[task] = session.peer;
  ++session.in_flight;
}

void Sessions::settle(TaskIndex task) {
  const auto found = submitters_.find(task);
  if (found == submitters_.end()) return;
  // One that has left since has nothing in flight any more.
  if (ClientSession* session = client(found->second); session != nullptr && session->in_flight > 0)
    --session->in_flight;
  submitters_.erase(found);
}

WorkerSession* Sessions::holder(TaskIndex task) {
  const PeerId* peer = find_in(holders_, task);
  return peer == nullptr ? nullptr : worker(*peer);
}

void Sessions::hold(WorkerSession& session, TaskIndex task, Lease lease) {
  ASSAY_ASSERT(holder(task) == nullptr);
  orphans.erase(task);
  session.held_cost += lease.cost;
  session.held[task] = lease;
  holders_[task] = session.peer;
}

void Sessions::release(TaskIndex task) {
  orphans.erase(task);
  WorkerSession* session = holder(task);
  holders_.erase(task);
  if (session == nullptr) return;
  session->held_cost -= session->held.at(task).cost;
  session->held.erase(task);
  note_ready(*session);
}

}  // namespace assay::core
