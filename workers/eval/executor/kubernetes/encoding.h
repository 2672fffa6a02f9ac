// Texts in the forms that Kubernetes wants. Pure.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_ENCODING_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_ENCODING_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace assay::eval::kubernetes {

// FNV-1a: tells different things apart, and protects nothing.
std::uint64_t digest(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325ULL);
// The last so many digits.
std::string hexadecimal(std::uint64_t number, int digits);

// A label's value: what it may not hold becomes `_`, and its ends are letters or digits.
std::string label_value(const std::string& text);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_ENCODING_H_
