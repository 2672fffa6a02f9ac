// The only file that knows the date library.
#include "broker/net/zone.h"

#include <date/tz.h>

#include <exception>

namespace assay::net {

Result<core::ZoneOffsets> zone_offsets(const std::string& name, Time now) {
  if (name == "UTC") return core::ZoneOffsets();
  try {
    const date::time_zone* zone = date::locate_zone(name);
    const auto end = now + std::chrono::hours(24 * 366 * 30);
    core::ZoneOffsets offsets;
    for (auto at = now - std::chrono::hours(24 * 366); at < end;) {
      const date::sys_info info =
          zone->get_info(std::chrono::time_point_cast<std::chrono::seconds>(at));
      offsets.push_back({std::chrono::time_point_cast<Duration>(info.begin), info.offset});
      if (info.end <= std::chrono::time_point_cast<std::chrono::seconds>(at)) break;
      at = std::chrono::time_point_cast<Duration>(info.end);
    }
    return offsets;
  } catch (const std::exception&) {
    return fix_input("invalid_schedule", "the system knows no zone '" + name +
                                             "'; expected UTC or a name such as Europe/Berlin "
                                             "(package tzdata)");
  }
}

}  // namespace assay::net
