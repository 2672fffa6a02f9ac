#include "broker/net/unread.h"

#include <utility>

namespace assay::net {
namespace {

struct Waiting {
  std::string bytes;
  Unread unread;
};

// libzmq has written the message, or its connection is gone.
void let_go(void*, void* waiting) {
  const std::unique_ptr<Waiting> owned(static_cast<Waiting*>(waiting));
  owned->unread->fetch_sub(owned->bytes.size(), std::memory_order_relaxed);
}

}  // namespace

zmq::message_t counted_message(std::string bytes, const Unread& unread) {
  if (bytes.size() < kCountedBytesMin) return {bytes.data(), bytes.size()};
  auto waiting = std::make_unique<Waiting>(Waiting{std::move(bytes), unread});
  unread->fetch_add(waiting->bytes.size(), std::memory_order_relaxed);
  void* data = waiting->bytes.data();
  const std::size_t size = waiting->bytes.size();
  return {data, size, let_go, waiting.release()};
}

}  // namespace assay::net
