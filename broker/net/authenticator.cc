#include "broker/net/authenticator.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "broker/net/self_test.h"
#include "sdk/log/structured_log.h"

namespace assay::net {
namespace {

constexpr const char* kHandler = "inproc://zeromq.zap.01";
constexpr const char* kDomain = "assay";
constexpr std::chrono::seconds kLogEvery{1};

std::string_view text_of(const zmq::message_t& frame) {
  return {static_cast<const char*>(frame.data()), frame.size()};
}

std::vector<zmq::message_t> receive_all(zmq::socket_t& socket) {
  std::vector<zmq::message_t> frames;
  for (bool more = true; more;) {
    zmq::message_t frame;
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) break;
    more = frame.more();
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

Result<KnownKeys> read_known_keys(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".pub") files.push_back(entry.path().string());
  }
  if (error) {
    return fix_input("unreadable_file",
                     "known_keys: cannot read the folder '" + folder + "': " + error.message());
  }
  std::sort(files.begin(), files.end());
  KnownKeys known;
  std::map<std::string, std::string> file_of_name;
  std::string mistakes;
  const auto mistake = [&](const std::string& text) {
    mistakes += (mistakes.empty() ? "" : "\n") + text;
  };
  for (const std::string& file : files) {
    auto read = keys::read_public_key_file(file);
    if (!read.is_ok()) {
      mistake(read.status().message());
      continue;
    }
    const auto [other, is_new] = file_of_name.emplace(read->name, file);
    const bool is_new_key =
        known.try_emplace(keys::to_hex(read->key), read->name, read->owner, read->roles).second;
    if (!is_new) mistake(file + ": the name '" + read->name + "' is that of " + other->second);
    if (!is_new_key) mistake(file + ": another file has the same key");
  }
  if (!mistakes.empty()) return fix_input("invalid_key_file", mistakes);
  return known;
}

Authenticator::Authenticator(zmq::context_t& context, keys::KeyPair own, KnownKeys known)
    : own_(std::move(own)), known_(std::move(known)), requests_(context, zmq::socket_type::router) {
  requests_.set(zmq::sockopt::linger, 0);
}

Result<std::unique_ptr<Authenticator>> Authenticator::make(zmq::context_t& context,
                                                           keys::KeyPair own, KnownKeys known) {
  std::unique_ptr<Authenticator> made(
      new Authenticator(context, std::move(own), std::move(known)));  // NOLINT: private constructor
  try {
    made->requests_.bind(kHandler);
  } catch (const zmq::error_t& error) {
    return internal_error("no_authentication", std::string("cannot answer for keys at ") +
                                                   kHandler + ": " + error.what());
  }
  return made;
}

void Authenticator::guard(zmq::socket_t& server) const {
  server.set(zmq::sockopt::curve_server, true);
  server.set(zmq::sockopt::curve_secretkey,
             zmq::buffer(own_.secret_key.data(), own_.secret_key.size()));
  server.set(zmq::sockopt::zap_domain, kDomain);
}

// A request: [route, empty], version, request id, domain, address, identity, mechanism,
// credentials.
void Authenticator::answer() {
  for (;;) {
    std::vector<zmq::message_t> frames = receive_all(requests_);
    if (frames.empty()) return;
    if (frames.size() < 8) continue;  // libzmq never asks so
    const std::string_view mechanism = text_of(frames[7]);
    std::string hex;
    const core::Identity* identity = nullptr;
    const bool has_key = mechanism == "CURVE" && frames.size() == 9 && frames[8].size() == 32;
    if (has_key && text_of(frames[4]) == kDomain) {
      keys::CurveKey key{};
      std::copy_n(static_cast<const std::uint8_t*>(frames[8].data()), key.size(), key.begin());
      hex = keys::to_hex(key);
      identity = find(hex);
    }
    if (identity == nullptr)
      note_refusal(has_key ? "unknown_key" : "no_key", text_of(frames[5]), hex);
    const std::string status = identity == nullptr ? "400" : "200";
    const std::string text = identity == nullptr ? "this key is not known here" : "OK";
    const auto send = [&](const void* data, std::size_t size, bool more) {
      requests_.send(zmq::const_buffer(data, size),
                     more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    };
    for (std::size_t i = 0; i < 4; ++i) send(frames[i].data(), frames[i].size(), true);
    send(status.data(), status.size(), true);
    send(text.data(), text.size(), true);
    send(hex.data(), identity == nullptr ? 0 : hex.size(), true);  // becomes "User-Id"
    send("", 0, false);                                            // no metadata
  }
}

// One line a second: whoever knocks again and again shall not fill the log.
void Authenticator::note_refusal(const std::string& reason, std::string_view address,
                                 const std::string& key) {
  ++refused_[reason];
  const auto now = std::chrono::steady_clock::now();
  if (now < next_line_) {
    ++lines_left_out_;
    return;
  }
  next_line_ = now + kLogEvery;
  log::warn("connection_refused", {{"reason", reason},
                                   {"address", address},
                                   {"key", key},
                                   {"more_before", std::exchange(lines_left_out_, 0)}});
}

const core::Identity* Authenticator::find(std::string_view hex_key) const {
  const auto found = known_.find(std::string(hex_key));
  return found == known_.end() ? nullptr : &found->second;
}

bool Authenticator::replace(KnownKeys known) {
  const bool someone_left = std::any_of(
      known_.begin(), known_.end(), [&](const auto& key) { return !known.contains(key.first); });
  known_ = std::move(known);
  return someone_left;
}

Status Authenticator::check_that_strangers_stay_out(const std::string& endpoint) {
  return net::check_that_strangers_stay_out(endpoint, [this] { answer(); });
}

std::string_view key_of(const zmq::message_t& message) {
  // Absent where there is no authentication.
  const char* key = zmq_msg_gets(message.handle(), "User-Id");
  return key == nullptr ? std::string_view() : std::string_view(key);
}

}  // namespace assay::net
