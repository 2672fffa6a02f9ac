// The proof, at every start, that keys are demanded: a stranger's handshake over a plain
// connection.
#ifndef ASSAY_BROKER_NET_SELF_TEST_H_
#define ASSAY_BROKER_NET_SELF_TEST_H_

#include <functional>
#include <string>

#include "assay/status.h"

namespace assay::net {

// Connects to a bound endpoint and says by hand what a peer without a key would say (ZMTP 3, the
// NULL mechanism). libzmq's own client would break off by itself, which proves nothing. Good when
// the broker hangs up without an answer to the handshake. `meanwhile` is called while it waits.
// Errors: `unguarded` (internal): it was let in; `no_self_test` (internal): it could not be tried.
Status check_that_strangers_stay_out(const std::string& endpoint,
                                     const std::function<void()>& meanwhile);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_SELF_TEST_H_
