// Schedules as they stand in the broker's configuration.
#ifndef ASSAY_BROKER_NET_SCHEDULE_SETTINGS_H_
#define ASSAY_BROKER_NET_SCHEDULE_SETTINGS_H_

#include <map>
#include <string>

#include "broker/core/schedule.h"
#include "sdk/config/strict_yaml.h"

namespace assay::net {

// Reads the map `schedules` of a file into `schedules`; every mistake with its line.
void read_schedules(config::Map& file, std::map<std::string, core::Schedule>& schedules, Time now);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_SCHEDULE_SETTINGS_H_
