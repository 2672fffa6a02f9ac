// Messages on their way to a peer, counted in bytes until libzmq has written them to the
// connection: a peer that does not read must not fill the broker's memory.
#ifndef ASSAY_BROKER_NET_UNREAD_H_
#define ASSAY_BROKER_NET_UNREAD_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <zmq.hpp>

namespace assay::net {

// Bytes that wait for one connection. Shared with its messages, which libzmq's thread lets go of
// (docs/decisions/0020). Thread: any.
using Unread = std::shared_ptr<std::atomic<std::size_t>>;

// What may wait for one connection. The largest message is a quarter of it.
inline constexpr std::size_t kUnreadBytesMax = 64 << 20;
// Below this a message is bounded well enough by the number of those that may wait.
inline constexpr std::size_t kCountedBytesMin = 512;

// A message of these bytes that counts as unread as long as it waits.
zmq::message_t counted_message(std::string bytes, const Unread& unread);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_UNREAD_H_
