#include "workers/report/webhook/spool.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "sdk/artifacts/durable_file.h"

namespace assay::report {
namespace {

namespace fs = std::filesystem;

// "00000000000000000007-01HZ...json" -> "01HZ..."
std::string id_of(const std::string& file) {
  const std::size_t dash = file.find('-');
  return dash == std::string::npos ? file : file.substr(dash + 1, file.size() - dash - 6);
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(const fs::path& folder) {
  for (const char* sub : {"pending", "undelivered", "tmp"}) {
    Status made = artifacts::make_folder(fs::absolute(folder) / sub);
    if (!made.is_ok()) return made;
  }
  return std::unique_ptr<Spool>(new Spool(fs::absolute(folder)));
}

std::vector<std::string> Spool::files(const char* sub) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_ / sub, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json")) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string Spool::next_number() {
  const std::vector<std::string> pending = files("pending");
  const unsigned long long last =
      pending.empty() ? 0 : std::strtoull(pending.back().c_str(), nullptr, 10);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%020llu", last + 1);
  return text.data();
}

Status Spool::add(const std::string& id, const std::string& body) {
  const std::lock_guard lock(mutex_);
  for (const char* sub : {"pending", "undelivered"}) {
    for (const std::string& file : files(sub)) {
      if (id_of(file) == id) return Status::ok();
    }
  }
  auto file = artifacts::TemporaryFile::create(folder_ / "tmp");
  if (!file.is_ok()) return file.status();
  Status status = file->write(body);
  if (status.is_ok()) status = file->flush();
  if (status.is_ok()) {
    status = file->publish(folder_ / "pending" / (next_number() + "-" + id + ".json"));
  }
  return status.is_ok() ? artifacts::sync_folder(folder_ / "pending") : status;
}

std::optional<Event> Spool::first() {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> pending = files("pending");
  if (pending.empty()) return std::nullopt;
  std::ifstream file(folder_ / "pending" / pending.front(), std::ios::binary);
  std::stringstream body;
  body << file.rdbuf();
  return Event{id_of(pending.front()), pending.front(), body.str()};
}

Status Spool::move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(folder_ / from, folder_ / to, error);
  if (error) return retry_later("unwritable_file", "cannot move a webhook: " + error.message());
  return artifacts::sync_folder((folder_ / to).parent_path());
}

Status Spool::delivered(const Event& event) {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  fs::remove(folder_ / "pending" / event.file, error);
  if (error) return retry_later("unwritable_file", "cannot remove a webhook: " + error.message());
  return artifacts::sync_folder(folder_ / "pending");
}

Status Spool::give_up(const Event& event) {
  const std::lock_guard lock(mutex_);
  return move("pending/" + event.file, "undelivered/" + event.file);
}

std::vector<std::string> Spool::undelivered() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const std::string& file : files("undelivered")) ids.push_back(id_of(file));
  return ids;
}

Result<std::size_t> Spool::send_again() {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string> all = files("undelivered");
  for (const std::string& file : all) {
    Status status =
        move("undelivered/" + file, "pending/" + next_number() + "-" + id_of(file) + ".json");
    if (!status.is_ok()) return status;
  }
  return all.size();
}

}  // namespace assay::report
