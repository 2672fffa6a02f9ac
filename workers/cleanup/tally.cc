#include "workers/cleanup/tally.h"

#include <nlohmann/json.hpp>

namespace assay::cleanup {

using nlohmann::json;

std::string to_json(bool dry_run, const std::map<std::string, Tally>& tallies,
                    const std::vector<Gone>& gone) {
  json items = json::array();
  for (const auto& [kind, doomed] : gone) {
    items.push_back({{"kind", kind},
                     {"id", doomed.item.id},
                     {"bytes", doomed.item.bytes},
                     {"reason", doomed.reason}});
  }
  json out{{"version", 1}, {"dry_run", dry_run}, {"items", std::move(items)}};
  for (const auto& [kind, tally] : tallies) {
    out[kind] = {{"removed", tally.removed},
                 {"bytes", tally.bytes},
                 {"referenced", tally.referenced},
                 {"labelled", tally.labelled},
                 {"young", tally.young}};
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace assay::cleanup
