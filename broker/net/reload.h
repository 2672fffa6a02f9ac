// SIGHUP: the settings are read again, checked as a whole, and what may change while the broker
// runs does.
#ifndef ASSAY_BROKER_NET_RELOAD_H_
#define ASSAY_BROKER_NET_RELOAD_H_

#include "assay/status.h"
#include "broker/net/loop.h"
#include "broker/net/settings.h"

namespace assay::net {

// What the program was started with.
struct CommandWords {
  config::Program program;
  int argc = 0;
  const char* const* argv = nullptr;
};

// Rules of owners and queues, schedules, limits, known keys and the log's level take effect; what
// needs a restart is named in the log. With any mistake everything stays as it was, and the log has
// all of them. Errors: those of the storage and of the feed, after which the broker must end.
Status reload(Settings& current, const CommandWords& words, Loop& loop);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_RELOAD_H_
