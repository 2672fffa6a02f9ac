// The steps of BuildRun after an image is built: push, confirm, scan, validate.
#include <algorithm>

#include "workers/build/build_run.h"
#include "workers/build/scan.h"

namespace assay::image_build {
namespace {

Failure said_no(std::string reason) {
  return {Failure::Kind::kTask, std::move(reason)};
}

// The engine writes Docker Hub's images without their host.
std::string engine_name(const ImageReference& image) {
  std::string name = image.name();
  for (const std::string_view front : {"docker.io/library/", "docker.io/"}) {
    if (name.starts_with(front)) return name.substr(front.size());
  }
  return name;
}

// "linux/arm64" -> "-arm64"
std::string tag_suffix(const std::string& platform) {
  std::string out = platform.substr(platform.find('/'));
  std::replace(out.begin(), out.end(), '/', '-');
  return out;
}

}  // namespace

std::optional<Failure> BuildRun::push_image(const PlatformImage& image, const ImageReference& to,
                                            std::string& digest) {
  if (!place_.tag_locks.take(to.text(), place_.stop)) {
    return Failure{Failure::Kind::kStopped, "stopped"};
  }
  const TagLocks::Held held(place_.tag_locks, to.text());
  DockerApi& engine = place_.parts.engine;
  const Status tagged = engine.tag(image.image_id, to.name(), to.tag, place_.stop);
  if (!tagged.is_ok()) return failure_of(tagged);
  const Result<RegistryCredential> credential = credential_for(place_.settings.registries, to.host);
  if (!credential.is_ok()) return failure_of(credential.status());
  place_.log.line("pushing " + to.text());
  layers_.clear();
  const Result<std::string> pushed = engine.push(
      to.name(), to.tag, *credential,
      [this](const EngineMessage& message) { on_layer_message(message, "pushing"); }, place_.stop);
  place_.log.flush();
  if (!pushed.is_ok()) {
    Failure failure = failure_of(pushed.status());
    failure.reason = "push of " + to.text() + ": " + failure.reason;
    return failure;
  }
  // Another worker with this engine may have moved the name between the tag and the push.
  const Result<ImageInfo> about = engine.inspect_image(image.image_id, place_.stop);
  if (!about.is_ok()) return failure_of(about.status());
  const std::string pinned = engine_name(to) + "@" + *pushed;
  if (std::find(about->digests.begin(), about->digests.end(), pinned) == about->digests.end()) {
    return Failure{Failure::Kind::kTransient,
                   "the name " + to.text() + " was given to another image while it was pushed"};
  }
  digest = *pushed;
  return std::nullopt;
}

std::optional<Failure> BuildRun::push() {
  for (std::size_t i = 0; i < request_.tags.size(); ++i) {
    const ImageReference to = reference(i);
    if (!many()) {
      std::string digest;
      if (auto failure = push_image(record_.images.front(), to, digest)) return failure;
      record_.images.front().digest = digest;
      record_.digest = digest;
      continue;
    }
    std::vector<IndexEntry> entries;
    for (PlatformImage& image : record_.images) {
      ImageReference one = to;
      one.tag += tag_suffix(image.platform);
      if (auto failure = push_image(image, one, image.digest)) return failure;
      one.digest = image.digest;
      const Result<ManifestInfo> manifest = place_.parts.registry.manifest(one, place_.stop);
      if (!manifest.is_ok()) return failure_of(manifest.status());
      entries.push_back(
          {image.digest, manifest->media_type, manifest->manifest_bytes, image.platform});
    }
    const Result<std::string> index = place_.parts.registry.put_index(to, entries, place_.stop);
    if (!index.is_ok()) return failure_of(index.status());
    record_.digest = *index;
  }
  return std::nullopt;
}

// What counts is what the registry says that it has.
std::optional<Failure> BuildRun::confirm() {
  for (std::size_t i = 0; i < request_.tags.size(); ++i) {
    ImageReference image = reference(i);
    const Result<ManifestInfo> by_tag = place_.parts.registry.manifest(image, place_.stop);
    if (!by_tag.is_ok()) return failure_of(by_tag.status());
    if (by_tag->digest != record_.digest) {
      place_.log.line(image.text() + " is " + by_tag->digest +
                      " by now: somebody else has moved it; this build is " + record_.digest);
    }
    image.digest = record_.digest;
    const Result<ManifestInfo> pinned = place_.parts.registry.manifest(image, place_.stop);
    if (!pinned.is_ok()) return failure_of(pinned.status());
    for (PlatformImage& one : record_.images) {
      ImageReference part = image;
      part.digest = one.digest;
      const Result<ManifestInfo> manifest = place_.parts.registry.manifest(part, place_.stop);
      if (!manifest.is_ok()) return failure_of(manifest.status());
      one.compressed_bytes = manifest->image_bytes;
    }
  }
  place_.log.line("digest " + record_.digest);
  return std::nullopt;
}

std::optional<Failure> BuildRun::scan() {
  ImageReference image = reference(0);
  image.digest = record_.digest;
  place_.context.progress(0, 0, "testing: scanning");
  Result<ScanResult> found =
      scan_image(place_.settings.scan_command, image.name() + "@" + image.digest,
                 place_.settings.scan_timeout, place_.stop);
  if (!found.is_ok()) return failure_of(found.status());
  record_.scan = std::move(*found);
  const std::string refusal = scan_refusal(*record_.scan, request_.scan_fail_at);
  if (refusal.empty()) return std::nullopt;
  return said_no(refusal);
}

std::optional<Failure> BuildRun::validate_image() {
  const std::string platform = record_.images.front().platform;
  const auto own = std::find_if(record_.images.begin(), record_.images.end(),
                                [&](const auto& one) { return one.platform == engine_platform_; });
  if (own == record_.images.end()) {
    return said_no("an image for " + platform + " cannot be run on an engine for " +
                   engine_platform_);
  }
  place_.context.progress(0, 0, "testing: running the image");
  BuildValidation wanted = *request_.validation;
  wanted.memory_bytes = std::min(wanted.memory_bytes, place_.settings.memory_bytes_max);
  wanted.cpus = std::min(wanted.cpus, place_.settings.cpus_max);
  ValidationSubject subject;
  subject.name =
      "assay-" + place_.task.id.text() + "-" + std::to_string(place_.task.attempt.number);
  std::transform(subject.name.begin(), subject.name.end(), subject.name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  subject.image = own->image_id;
  subject.labels = {{kTaskLabel, place_.task.id.text()}, {kWorkerLabel, place_.settings.instance}};
  const Pause pause = [this](Duration time) { return !place_.context.wait_cancelled(time); };
  ValidationOutcome outcome =
      validate(place_.parts.engine, place_.parts.probe, pause, subject, wanted, place_.stop);
  record_.health_check_passed = outcome.healthy;
  record_.inference_test_passed = outcome.inferred;
  record_.container_log = std::move(outcome.container_log);
  if (!record_.container_log.empty()) {
    place_.log.line("the container's log:");
    place_.log.line(record_.container_log);
  }
  return outcome.failure;
}

}  // namespace assay::image_build
