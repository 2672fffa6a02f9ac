// What a task takes from the results of those that it comes after: "${inputs.TASK-ID.path}" in a
// text of its body. The producer writes such a reference before any result exists; the worker fills
// it in when the results have come with the task (TaskAssignment::inputs). The path leads into a
// result that is a JSON document: names of keys, numbers of items.
#ifndef ASSAY_SDK_PIPELINE_INPUT_REFERENCE_H_
#define ASSAY_SDK_PIPELINE_INPUT_REFERENCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay::pipeline {

inline constexpr std::size_t kInputValueBytesMax = 4096;

std::string input_reference(const TaskId& task, std::string_view path);

// Fills in every reference; other text, "${" of another kind too, stays as it is. What is filled in
// came out of another task and may be anything: check the text afterwards as if a stranger had
// written it. Errors: `unresolved_input` (fix_input): no such input, its result is no JSON, the
// path leads nowhere, or not to a text, number or truth value of at most kInputValueBytesMax.
Status resolve_inputs(std::string& text, const std::vector<TaskInput>& inputs);

}  // namespace assay::pipeline

#endif  // ASSAY_SDK_PIPELINE_INPUT_REFERENCE_H_
