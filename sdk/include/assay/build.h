// The build of a container image as a producer asks for it: the body of a task on the queue
// `build`. docs/builds.md describes the document, and the result, for people.
#ifndef ASSAY_BUILD_H_
#define ASSAY_BUILD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay {

inline constexpr std::size_t kInlineContextBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kDockerfileBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kBuildItemsMax = 200;  // arguments, labels, variables; each
inline constexpr std::size_t kBuildTagsMax = 16;
inline constexpr std::size_t kBuildValueBytesMax = 8192;

// A place of an image: "registry.example:5000/team/bench:v2". Source: the grammar of
// https://github.com/distribution/reference, without its short names: a reference says its host.
struct ImageReference {
  std::string host;    // "registry.example:5000"
  std::string path;    // "team/bench"
  std::string tag;     // "v2"; "latest" when neither tag nor digest was given
  std::string digest;  // "sha256:..." or empty

  std::string name() const { return host + "/" + path; }
  std::string text() const;
  friend bool operator==(const ImageReference&, const ImageReference&) = default;
};
// Errors: `invalid_image` (fix_input) with what was found. `host_required` false also takes what
// has no host, such as "python:3.11-slim", which is then one of the engine's own.
Result<ImageReference> parse_image_reference(std::string_view text, bool host_required = true);

// How the image is shown to work: it is run without any network to the outside.
struct BuildValidation {
  std::vector<std::string> command;  // instead of the image's own
  std::map<std::string, std::string> environment;
  std::uint16_t port = 8000;        // where it listens
  std::string health_path;          // empty: it only has to exit with 0 by itself
  Duration health_timeout{60'000};  // for the first answer with 200 to 299
  std::string inference_path;       // empty: no request is made
  std::string inference_method = "POST";
  std::string inference_body;
  std::string inference_content_type = "application/json";
  std::uint16_t inference_status = 200;                 // that its answer must have
  std::map<std::string, std::string> inference_fields;  // JSON pointer -> its value, as text
  std::string inference_text;                           // that its answer must contain
  Duration inference_timeout{60'000};
  std::uint64_t memory_bytes = 1ULL << 30;
  double cpus = 1;

  friend bool operator==(const BuildValidation&, const BuildValidation&) = default;
};

struct BuildRequest {
  // Exactly one of the three is where the files come from; none with `dockerfile_text` is a build
  // without files.
  std::string git_url;
  std::string context_artifact;  // sha256 in hexadecimal of an archive in the artifact store
  std::string context_archive;   // a tar, plain or compressed, at most kInlineContextBytesMax

  std::string git_ref;  // a branch, a tag or a commit; empty: what the server's HEAD is
  bool submodules = false;
  std::string subdirectory;               // of the source; what lies outside is not sent
  std::string dockerfile = "Dockerfile";  // path below `subdirectory`
  std::string dockerfile_text;            // instead of a file

  std::vector<std::string> tags;  // at least one; where it is pushed
  std::map<std::string, std::string> arguments;
  std::map<std::string, std::string> labels;
  std::string target;                   // a stage of the Dockerfile; empty: the last
  std::vector<std::string> platforms;   // "linux/amd64"; empty: the engine's own
  std::vector<std::string> cache_from;  // images whose layers may be reused
  bool cache = true;                    // false: every step runs, and no earlier result is taken
  bool pull = false;                    // look for newer base images
  bool network = true;                  // of the steps; false: none
  std::uint64_t memory_bytes = 2ULL << 30;
  double cpus = 2;
  Duration timeout{1'800'000};  // of the whole, waiting for a registry included

  std::optional<BuildValidation> validation;
  std::string scan_fail_at;  // low, medium, high or critical; empty: findings are only told

  friend bool operator==(const BuildRequest&, const BuildRequest&) = default;
};

// Bytes for TaskSpec::body (a JSON document; docs/builds.md) and back; a body may also be written
// by hand as YAML. Decoding errors: `invalid_build` (fix_input) with every mistake, one a line,
// each with its line number. Never throws, whatever the bytes; sizes, counts and nesting are
// bounded.
std::string encode_build(const BuildRequest& request);
Result<BuildRequest> decode_build(std::string_view bytes);

// Everything that is wrong with a request, one a line; empty when nothing is.
std::string build_problems(const BuildRequest& request);

}  // namespace assay

#endif  // ASSAY_BUILD_H_
