// Bytes as text and back, as JSON and Kubernetes carry them. Pure.
#ifndef ASSAY_WORKERS_EVAL_BASE64_H_
#define ASSAY_WORKERS_EVAL_BASE64_H_

#include <string>
#include <string_view>

namespace assay::eval {

std::string encode_base64(std::string_view bytes);
// Appends to `out`; false when it is none. White space is passed over.
bool decode_base64(const std::string& encoded, std::string& out);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_BASE64_H_
