// The flags of `assay build`.
#include "cli/build_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command_options.h"
#include "cli/text/duration.h"

namespace assay::cli {
namespace {

// Declares flags one by one; each takes one value, and may be given again where it is a list.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  template <typename Value>
  CLI::Option* value(const std::string& flag, Value& to, const std::string& help,
                     const std::string& type) {
    return app_.add_option(flag, to, help)->allow_extra_args(false)->type_name(type);
  }
  void duration(const std::string& flag, std::optional<Duration>& to, const std::string& help) {
    const auto store = [flag, &to](const std::string& text) {
      const Result<Duration> parsed = parse_duration(text);
      if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
      to = *parsed;
    };
    app_.add_option_function<std::string>(flag, store, help)->type_name("TIME");
  }
  void pairs(const std::string& flag, std::map<std::string, std::string>& to,
             const std::string& help) {
    const auto store = [flag, &to](const std::vector<std::string>& texts) {
      for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == 0 || equals == std::string::npos) {
          throw CLI::ValidationError(flag, "'" + text + "' has not the form NAME=VALUE");
        }
        to[text.substr(0, equals)] = text.substr(equals + 1);
      }
    };
    app_.add_option_function<std::vector<std::string>>(flag, store, help)
        ->allow_extra_args(false)
        ->type_name("NAME=VALUE");
  }

 private:
  CLI::App& app_;
};

void declare_test(CLI::App& app, Flags& flags, BuildOptions& options) {
  app.add_flag("--run", options.run, "test it: run it without a network; it must exit with 0");
  flags.value("--health", options.health, "test it: wait until this path answers with 2xx", "PATH");
  flags.value("--port", options.port, "where it listens; default 8000", "PORT")
      ->check(CLI::Range(1, 65'535));
  flags.duration("--health-timeout", options.health_timeout, "for the first such answer");
  flags.value("--inference", options.inference, "then POST to this path", "PATH");
  flags.value("--inference-body", options.inference_body, "what is sent; @FILE: a file's content",
              "JSON");
  flags.value("--inference-text", options.inference_text, "what the answer must contain", "TEXT");
  flags.pairs("--inference-field", options.inference_fields,
              "a value that the JSON of the answer must have: /choices/0/text=yes; repeatable");
  flags
      .value("--scan-fail-at", options.scan_fail_at,
             "fail when the worker's scanner finds that severity", "SEVERITY")
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
}

}  // namespace

void declare(CLI::App& app, BuildOptions& options) {
  Flags flags(app);
  flags.value("source", options.source, "a folder with a Dockerfile, or a git URL", "");
  flags.value("-t,--tag", options.tags, "where it is pushed: HOST/NAME:TAG; repeatable", "IMAGE");
  flags.value("-f,--file", options.file, "the Dockerfile; default Dockerfile", "PATH");
  flags.value("--ref", options.ref, "a branch, a tag or a commit of the git URL", "REF");
  flags.value("--subdirectory", options.subdirectory, "of the source; only it is sent", "PATH");
  app.add_flag("--submodules", options.submodules, "fetch git submodules too");
  flags.pairs("--build-arg", options.arguments, "for ARG lines; repeatable");
  flags.pairs("--image-label", options.image_labels, "a label of the image; repeatable");
  flags.value("--target", options.target, "a stage of the Dockerfile", "STAGE");
  flags.value("--platform", options.platforms, "linux/amd64, linux/arm64, ...; repeatable",
              "PLATFORM");
  flags.value("--cache-from", options.cache_from, "an image whose layers may be used; repeatable",
              "IMAGE");
  app.add_flag("--no-cache", options.no_cache, "run every step, take no earlier result");
  app.add_flag("--pull", options.pull, "look for newer base images");
  app.add_flag("--no-network", options.no_network, "the steps have no network");
  flags.value("--memory", options.memory_bytes, "of a step, in bytes or as 4GiB", "SIZE")
      ->transform(CLI::AsSizeValue(false));
  flags.value("--cpus", options.cpus, "processors of a step", "N")->check(CLI::PositiveNumber);
  flags.duration("--timeout", options.timeout, "of the whole build: 90s, 10m, 1h30m");
  declare_test(app, flags, options);
  flags.value("--artifacts", options.artifacts,
              "an artifact store that the worker has too, for contexts over 4 MiB "
              "(ASSAY_ARTIFACTS)",
              "DIR");
  flags.value("--queue", options.queue, "default build", "NAME");
  flags.value("--owner", options.owner, "on whose account it runs; default: $USER", "NAME");
  flags.value("--priority", options.priority, "0 to 9, 9 first; default 5", "N")
      ->check(CLI::Range(0, 9));
  flags.pairs("--label", options.labels, "of the task, for people and queries; repeatable");
  app.add_flag("--detach", options.detach, "print the id and leave it to run");
  app.footer("Exit status: 0 built, pushed and tested; 3 failed; 4 cancelled.");
}

}  // namespace assay::cli
