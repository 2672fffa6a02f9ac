// What single values of a build may be. Each function says why not, or nothing. Pure.
#ifndef ASSAY_SDK_BUILD_BUILD_RULES_H_
#define ASSAY_SDK_BUILD_BUILD_RULES_H_

#include <string>
#include <string_view>

namespace assay::build {

// https://..., ssh://..., http://..., git://... or user@host:path; which of them a worker follows
// is its own affair. No password, no option, no remote program (`ext::`), no file of the machine.
std::string git_url_problem(std::string_view url);
// The host of such a URL, in lower case, without user and port; empty when there is none.
std::string git_host(std::string_view url);
// "https", "ssh", "http" or "git".
std::string git_protocol(std::string_view url);
// A branch, a tag or a commit; no option, no range, no refspec.
std::string git_ref_problem(std::string_view ref);
// A relative path that stays below where it begins.
std::string context_path_problem(std::string_view path);
std::string platform_problem(std::string_view platform);
std::string variable_name_problem(std::string_view name);
std::string label_name_problem(std::string_view name);
std::string stage_name_problem(std::string_view name);
// "/health", "/v1/models?x=1": what may stand in a request's first line.
std::string http_path_problem(std::string_view path);
bool is_sha256(std::string_view text);
// Neither a control character nor bytes that are not UTF-8's first half: printable in one line.
bool is_one_line(std::string_view text);

}  // namespace assay::build

#endif  // ASSAY_SDK_BUILD_BUILD_RULES_H_
