// A model endpoint that the worker's configuration grants to evaluations, by name.
#ifndef ASSAY_WORKERS_EVAL_RELAY_ENDPOINT_H_
#define ASSAY_WORKERS_EVAL_RELAY_ENDPOINT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::eval {

struct Endpoint {
  std::string name;
  std::string url;                  // "http://127.0.0.1:8000"; what follows begins with /v1
  std::string api_key_file;         // read for each request, so that a rotated key is taken up; or
  std::string api_key_environment;  // the name of an environment variable; or neither
  std::vector<std::string> models;  // the only ones that may be asked; empty: any
  std::uint64_t requests_max = 100'000;  // of one task
  std::chrono::seconds timeout{120};     // of one request
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_RELAY_ENDPOINT_H_
