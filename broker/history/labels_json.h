// A task's labels as one JSON object, as the tasks table holds them.
#ifndef ASSAY_BROKER_HISTORY_LABELS_JSON_H_
#define ASSAY_BROKER_HISTORY_LABELS_JSON_H_

#include <map>
#include <string>
#include <string_view>

namespace assay::history {

using Labels = std::map<std::string, std::string>;

// The same labels, with U+FFFD for bytes that are no UTF-8, which JSON can't hold. Thread: any, as
// below.
Labels readable_labels(const Labels& labels);
std::string labels_to_json(const Labels& labels);
// Whatever is no object of strings is left out.
Labels labels_from_json(std::string_view json);

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_LABELS_JSON_H_
