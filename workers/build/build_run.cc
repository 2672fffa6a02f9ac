#include "workers/build/build_run.h"

#include <algorithm>
#include <filesystem>

#include "sdk/config/scalar.h"
#include "sdk/log/printable.h"
#include "workers/build/docker/message_stream.h"
#include "workers/build/plan/build_key.h"

namespace assay::image_build {
namespace {

constexpr std::size_t kInstructionShownMax = 120;
constexpr std::int64_t kKilledExit = 137;

Failure said_no(std::string reason) {
  return {Failure::Kind::kTask, std::move(reason)};
}

// The time from its making to its end is added to `seconds`.
class Timer {
 public:
  explicit Timer(double& seconds) : seconds_(seconds), begun_(std::chrono::steady_clock::now()) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace

BuildRun::BuildRun(RunPlace place, const BuildRequest& request)
    : place_(std::move(place)), request_(request), platforms_(request.platforms) {
  if (platforms_.empty()) platforms_.emplace_back();
}

Wanted BuildRun::wanted() const {
  Wanted out;
  out.platforms = platforms_.size();
  out.look_up = request_.cache && !request_.pull && !many();
  out.scan = !place_.settings.scan_command.empty();
  out.validate = request_.validation.has_value();
  return out;
}

ImageReference BuildRun::reference(std::size_t tag) const {
  return parse_image_reference(request_.tags[tag]).value();  // checked when it was decoded
}

std::optional<Failure> BuildRun::act(Step step, Observed& observed) {
  const std::string stage(stage_of(step));
  if (record_.stage != stage) {
    record_.stage = stage;
    place_.context.progress(0, 0, stage);
  }
  const Timer timer(record_.seconds[std::string(to_string(step))]);
  std::optional<Failure> failure;
  switch (step) {
    case Step::kClear:
      failure = clear();
      observed.cleared = !failure;
      break;
    case Step::kFetch:
      failure = fetch();
      observed.fetched = !failure;
      break;
    case Step::kLookUp:
      failure = look_up(observed);
      observed.looked_up = !failure;
      break;
    case Step::kBuild:
      failure = build_one(platforms_[observed.built]);
      if (!failure) ++observed.built;
      break;
    case Step::kPush:
      failure = push();
      observed.pushed = !failure;
      break;
    case Step::kConfirm:
      failure = confirm();
      observed.confirmed = !failure;
      break;
    case Step::kScan:
      failure = scan();
      observed.scanned = !failure;
      break;
    case Step::kValidate:
      failure = validate_image();
      observed.validated = !failure;
      break;
    case Step::kFinish:
      break;
  }
  return failure;
}

std::optional<Failure> BuildRun::clear() {
  const std::string label = std::string(kTaskLabel) + "=" + place_.task.id.text();
  Status status = remove_labelled(place_.parts.engine, label, place_.stop);
  if (!status.is_ok()) return failure_of(status);
  const Result<EngineInfo> engine = place_.parts.engine.info(place_.stop);
  if (!engine.is_ok()) return failure_of(engine.status());
  engine_platform_ = engine->platform;
  for (std::size_t i = 0; i < request_.tags.size(); ++i) {
    if (may_push(place_.settings.registries, reference(i).name())) continue;
    return said_no("this worker may not push to " + reference(i).name() + "; it may push to " +
                   config::join(place_.settings.registries.push_to));
  }
  return std::nullopt;
}

std::optional<Failure> BuildRun::fetch() {
  std::error_code error;
  std::filesystem::remove_all(place_.folder, error);
  std::filesystem::create_directories(place_.folder, error);
  if (!request_.git_url.empty()) {
    place_.log.line("fetching " + request_.git_url + " " + request_.git_ref);
  }
  Result<Source> source = fetch_source(
      request_, place_.settings, place_.folder, place_.parts.read_artifact,
      [this](std::string_view line) { place_.log.line(line); }, place_.stop);
  if (!source.is_ok()) return failure_of(source.status());
  source_.emplace(std::move(*source));
  record_.commit = source_->commit;
  record_.context_sha256 = source_->context_sha256;
  record_.context_files = source_->files.entries().size();
  record_.context_bytes = source_->files.bytes();
  record_.ignored_files = source_->files.ignored();
  const std::string identity = source_->commit.empty() ? source_->context_sha256 : source_->commit;
  key_ = build_key(request_, {identity, source_->files.dockerfile_text()});
  place_.log.line((source_->commit.empty() ? "context" : "commit " + source_->commit) + ": " +
                  std::to_string(record_.context_files) + " files, " +
                  config::format_bytes(record_.context_bytes) + ", " +
                  std::to_string(record_.ignored_files) + " ignored");
  return std::nullopt;
}

// An image that was made of the same, if the registry still has it.
std::optional<Failure> BuildRun::look_up(Observed& observed) {
  const Result<std::vector<ImageInfo>> images =
      place_.parts.engine.images_with(std::string(kKeyLabel) + "=" + key_, place_.stop);
  if (!images.is_ok()) return failure_of(images.status());
  const ImageReference to = reference(0);
  const std::string front = to.name() + "@";
  for (const ImageInfo& image : *images) {
    for (const std::string& digest : image.digests) {
      if (!digest.starts_with(front)) continue;
      ImageReference pinned = to;
      pinned.digest = digest.substr(front.size());
      const Result<ManifestInfo> manifest = place_.parts.registry.manifest(pinned, place_.stop);
      if (!manifest.is_ok()) continue;
      const Result<ImageInfo> about = place_.parts.engine.inspect_image(image.id, place_.stop);
      if (!about.is_ok()) continue;
      place_.log.line("the same was built before: " + digest);
      record_.images = {{about->platform, image.id, about->bytes, "", 0}};
      record_.reused = true;
      observed.built = 1;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

void BuildRun::pull_cache() {
  for (const std::string& image : request_.cache_from) {
    const Result<ImageReference> reference = parse_image_reference(image);
    const Result<RegistryCredential> credential =
        credential_for(place_.settings.registries, reference->host);
    const Status pulled = place_.parts.engine.pull(
        reference->text(), credential.is_ok() ? *credential : RegistryCredential{},
        [this](const EngineMessage& message) { on_layer_message(message, "building"); },
        place_.stop);
    if (!pulled.is_ok()) place_.log.line("no layers from " + image + ": " + pulled.message());
  }
}

std::optional<Failure> BuildRun::build_one(const std::string& platform) {
  pull_cache();
  ImageBuild build;
  build.dockerfile = source_->files.dockerfile();
  build.arguments = request_.arguments;
  build.labels = image_labels(request_, key_, source_->commit,
                              source_->committed_at.value_or(submitted_at(place_.task.id)));
  build.target = request_.target;
  if (platform != engine_platform_) build.platform = platform;
  build.cache_from = request_.cache_from;
  // The classic builder's cache does not ask what a layer was made for.
  build.cache = request_.cache && build.platform.empty();
  build.pull = request_.pull;
  build.network = request_.network;
  build.memory_bytes = std::min(request_.memory_bytes, place_.settings.memory_bytes_max);
  build.cpus = std::min(request_.cpus, place_.settings.cpus_max);
  build.credentials = all_credentials(place_.settings.registries);
  build::ContextArchive archive(source_->files, build::ContextArchive::Form::kTar);
  build.context = [&archive](char* to, std::size_t size) { return archive.read(to, size); };
  if (many()) place_.log.line("building for " + platform);
  const Result<std::string> image = place_.parts.engine.build(
      build, [this](const EngineMessage& message) { on_build_message(message); }, place_.stop);
  place_.log.flush();
  if (!image.is_ok()) return build_failure(image.status(), build.platform);
  const Result<ImageInfo> about = place_.parts.engine.inspect_image(*image, place_.stop);
  if (!about.is_ok()) return failure_of(about.status());
  if (!platform.empty() && about->platform != platform) {
    return said_no("this engine cannot build for " + platform + ": what it made is for " +
                   about->platform + "; it is an engine for " + engine_platform_);
  }
  record_.images.push_back({about->platform, about->id, about->bytes, "", 0});
  return std::nullopt;
}

void BuildRun::on_build_message(const EngineMessage& message) {
  if (!message.layer.empty()) return on_layer_message(message, "building");
  if (message.text.empty()) return;
  if (const auto step = parse_step(message.text)) {
    step_ = step->number;
    record_.steps = std::max(record_.steps, step->total);
    instruction_ = log::printable(step->instruction.substr(0, kInstructionShownMax));
    place_.log.add(message.text);
    place_.log.forget_last_lines();
    place_.context.progress(step->number - 1, step->total,
                            "building: Step " + std::to_string(step->number) + "/" +
                                std::to_string(step->total) + " : " + instruction_);
    return;
  }
  if (message.text.find("---> Using cache") != std::string::npos) ++record_.steps_cached;
  place_.log.add(message.text);
}

// A layer's states are told once each; how far each has come is told as progress of all.
void BuildRun::on_layer_message(const EngineMessage& message, const char* stage) {
  if (message.text.empty()) return;
  if (message.layer.empty()) return place_.log.line(message.text);
  std::string& state = layers_[message.layer];
  if (state == message.text) return;
  state = message.text;
  place_.log.line(message.layer + ": " + message.text);
  const auto done = std::count_if(layers_.begin(), layers_.end(), [](const auto& one) {
    return one.second == "Pushed" || one.second.starts_with("Layer already") ||
           one.second.starts_with("Mounted") || one.second == "Pull complete";
  });
  place_.context.progress(static_cast<std::uint64_t>(done), layers_.size(),
                          std::string(stage) + ": " + std::to_string(done) + " of " +
                              std::to_string(layers_.size()) + " layers");
}

Failure BuildRun::build_failure(const Status& status, const std::string& platform) const {
  Failure failure = failure_of(status);
  if (status.reason() != "build_failed") return failure;
  std::string reason = status.message();
  if (step_ > 0) {
    reason = "step " + std::to_string(step_) + "/" + std::to_string(record_.steps) + " (" +
             instruction_ + "): " + reason;
  }
  const bool killed =
      status.message().find("code: " + std::to_string(kKilledExit)) != std::string::npos;
  if (killed) {
    reason +=
        " (killed; the limit of memory is " +
        config::format_bytes(std::min(request_.memory_bytes, place_.settings.memory_bytes_max)) +
        ")";
    failure.kind = Failure::Kind::kLimit;
  }
  if (!platform.empty()) {
    reason +=
        "; it was asked to build for " + platform + " and is an engine for " + engine_platform_;
  }
  const std::string last = place_.log.last_lines();
  failure.reason = reason + (last.empty() ? "" : "; last lines: " + log::printable(last));
  return failure;
}

}  // namespace assay::image_build
