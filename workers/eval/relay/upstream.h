// One request to a model endpoint, out in the world (libcurl).
#ifndef ASSAY_WORKERS_EVAL_RELAY_UPSTREAM_H_
#define ASSAY_WORKERS_EVAL_RELAY_UPSTREAM_H_

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "workers/eval/relay/endpoint.h"

namespace assay::eval {

struct FormPart {
  std::string name;
  std::string filename;  // empty: a plain field
  std::string content;
};

struct UpstreamRequest {
  std::string path;            // "/v1/chat/completions"
  std::string json;            // the body, or
  std::vector<FormPart> form;  // the parts of a form; neither: a GET
};

struct UpstreamAnswer {
  unsigned int status = 502;
  std::string content_type = "application/json";
  std::string retry_after;
  std::string body;
};

// {"error": {"message": ...}}, as the endpoints themselves say it.
UpstreamAnswer refusal(unsigned int status, const std::string& message);

// Never fails: what goes wrong is an answer of its own (502, 504). Ends early once `stop` is set.
// The endpoint's key, should it come back in an answer, is blotted out.
UpstreamAnswer ask(const Endpoint& endpoint, const UpstreamRequest& request,
                   const std::atomic<bool>& stop);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_RELAY_UPSTREAM_H_
