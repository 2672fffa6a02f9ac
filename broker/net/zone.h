// The clocks of the world's zones, from the system's time zone database, as the core wants them.
#ifndef ASSAY_BROKER_NET_ZONE_H_
#define ASSAY_BROKER_NET_ZONE_H_

#include <string>

#include "assay/status.h"
#include "broker/core/cron.h"

namespace assay::net {

// The offsets of a zone ("UTC", "Europe/Berlin") from a year before `now` on, for thirty years: who
// keeps a broker up for longer must start it again. Errors: `invalid_schedule` (fix_input): the
// system knows no such zone.
Result<core::ZoneOffsets> zone_offsets(const std::string& name, Time now);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_ZONE_H_
