// Paths of files that travel with an evaluation, and the bounds of what travels.
#ifndef ASSAY_SDK_EVALUATION_EVALUATION_PATH_H_
#define ASSAY_SDK_EVALUATION_EVALUATION_PATH_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "assay/evaluation.h"

namespace assay::evaluation {

inline constexpr std::size_t kFileBytesMax = 8U << 20;
inline constexpr std::size_t kFilesBytesMax = 12U << 20;  // in all; a task's body holds 16 MiB
inline constexpr std::size_t kFileCountMax = 2000;
inline constexpr std::size_t kPathBytesMax = 255;
inline constexpr std::size_t kTextBytesMax = 1000;  // a name, a model, an argument
inline constexpr std::size_t kListItemsMax = 1000;  // arguments, outputs

// Why `path` can't be the place of a file in a submission ("it leaves the folder"), or empty when
// it can: relative, each part a name, no "." or "..", nothing that is not printable.
std::string path_problem(std::string_view path);

// "a/b/../c.py" of "a/b": what `path`, written in a file of `folder`, means from the root; without
// "./".
std::string join_path(std::string_view folder, std::string_view path);
std::string folder_of(std::string_view path);  // "" for a name alone
std::string stem_of(std::string_view path);    // "edge_cases" of "my_tests/edge_cases.py"

// Everything about the files together: paths, sizes, counts, no file twice or where another needs a
// folder. Empty when all is well.
std::string files_problem(const std::vector<EvaluationFile>& files);

}  // namespace assay::evaluation

#endif  // ASSAY_SDK_EVALUATION_EVALUATION_PATH_H_
