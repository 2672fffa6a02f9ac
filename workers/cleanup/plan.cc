#include "workers/cleanup/plan.h"

#include <algorithm>

#include "sdk/config/scalar.h"

namespace assay::cleanup {

std::vector<Doomed> plan(std::vector<Item> items, const Retention& retention, Duration safety_delay,
                         Time now) {
  std::sort(items.begin(), items.end(), [](const Item& one, const Item& other) {
    return one.at != other.at ? one.at < other.at : one.id < other.id;
  });
  std::uint64_t count = items.size();
  std::uint64_t bytes = 0;
  for (const Item& item : items) bytes += item.bytes;
  std::vector<Doomed> out;
  for (Item& item : items) {
    if (item.at > now - safety_delay) break;  // and so are all that follow
    std::string reason;
    if (retention.keep_for > Duration(0) && item.at < now - retention.keep_for) {
      reason = "older than " + config::format_duration(retention.keep_for);
    } else if (retention.keep_count > 0 && count > retention.keep_count) {
      reason = "more than " + std::to_string(retention.keep_count);
    } else if (retention.keep_bytes > 0 && bytes > retention.keep_bytes) {
      reason = "over " + config::format_bytes(retention.keep_bytes);
    } else {
      break;  // what is younger is within the same bounds
    }
    --count;
    bytes -= item.bytes;
    out.push_back({std::move(item), std::move(reason)});
  }
  return out;
}

}  // namespace assay::cleanup
