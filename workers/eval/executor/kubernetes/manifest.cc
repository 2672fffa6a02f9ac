#include "workers/eval/executor/kubernetes/manifest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "workers/eval/executor/kubernetes/encoding.h"
#include "workers/eval/executor/kubernetes/objects.h"
#include "workers/eval/executor/kubernetes/pod/pack.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

// Under the limit of 1 MiB for an object, with room for what stands around it.
constexpr std::size_t kPartBytesMax = 900U << 10;
constexpr int kSubjectUser = 1000;
constexpr int kHarnessUser = 61'200;
constexpr std::uint64_t kHarnessMemory = 128ULL << 20;
constexpr std::uint64_t kHarnessStorage = 64ULL << 20;

json hardened(int user) {
  return {{"allowPrivilegeEscalation", false},
          {"privileged", false},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"runAsUser", user},
          {"runAsGroup", user},
          {"capabilities", {{"drop", json::array({"ALL"})}}}};
}

json resources(const std::string& cpu, std::uint64_t memory, std::uint64_t storage) {
  const json amounts = {{"cpu", cpu},
                        {"memory", std::to_string(memory)},
                        {"ephemeral-storage", std::to_string(storage)}};
  return {{"requests", amounts}, {"limits", amounts}};
}

json mount(const char* volume, const char* path, bool read_only) {
  return {{"name", volume}, {"mountPath", path}, {"readOnly", read_only}};
}

json empty_folder(const char* name, std::uint64_t size, bool in_memory = false) {
  json folder = {{"sizeLimit", std::to_string(size)}};
  if (in_memory) folder["medium"] = "Memory";
  return {{"name", name}, {"emptyDir", folder}};
}

// What every container of the pod has in common.
json container(const char* name, const std::string& image, int user, json use) {
  return {{"name", name},
          {"image", image},
          {"imagePullPolicy", "IfNotPresent"},
          {"securityContext", hardened(user)},
          {"resources", std::move(use)},
          {"terminationMessagePolicy", "File"}};
}

json prepare_container(const Settings& settings, const ClusterSettings& cluster) {
  json out = container(kPrepare, settings.pod_image, kHarnessUser,
                       resources("100m", kHarnessMemory, kHarnessStorage));
  out["command"] = {"/assay-pod", "prepare", "--packs", "/packs",
                    "--plan",     "/plan",   "--box",   "/assay"};
  if (cluster.accept_open_network) out["command"].push_back("--accept-open-network");
  out["volumeMounts"] = {mount("packs", "/packs", true), mount("plan", "/plan", false),
                         mount("box", "/assay", false)};
  return out;
}

json harness_container(const Settings& settings) {
  json out = container(kHarness, settings.pod_image, kHarnessUser,
                       resources("100m", kHarnessMemory, kHarnessStorage));
  out["command"] = {"/assay-harness",
                    "--plan",
                    "/plan/plan.json",
                    "--socket",
                    "/assay-run/harness.sock",
                    "--state",
                    "/assay-run/state",
                    "--framed",
                    "yes"};
  out["volumeMounts"] = {mount("plan", "/plan", true), mount("run", "/assay-run", false)};
  return out;
}

// As it is, though Kubernetes would put variables in the place of $(NAME).
std::string without_references(const std::string& word) {
  std::string out;
  for (const char c : word) out += c == '$' ? "$$" : std::string(1, c);
  return out;
}

json subject_container(const PodSpec& spec, const Settings& settings, const PodProfile& profile) {
  const PodLimits& limits = spec.limits;
  const std::uint64_t storage = limits.work_bytes + limits.tmp_bytes + (64ULL << 20);
  json use = resources(profile.cpu, limits.memory_bytes, storage);
  if (profile.gpus > 0) {
    for (const char* kind : {"requests", "limits"}) {
      use[kind][profile.gpu_resource] = std::to_string(profile.gpus);
    }
  }
  const std::string& image = spec.program ? spec.program->image : settings.subject_image;
  json out = container(kSubject, image, kSubjectUser, std::move(use));
  out["command"] = {"/assay/assay-pod", "subject",
                    "--processes",      std::to_string(limits.processes),
                    "--files",          std::to_string(limits.open_files),
                    "--file-bytes",     std::to_string(limits.file_bytes)};
  if (spec.program) {
    for (const std::string& word :
         {std::string("--folder"), spec.program->folder, std::string("--")}) {
      out["command"].push_back(word);
    }
    // Dollars are the cluster's to replace, unless they are doubled.
    for (const std::string& word : spec.program->command) {
      out["command"].push_back(without_references(word));
    }
  }
  out["workingDir"] = "/work";
  // The same everywhere, so that runs can be compared.
  out["env"] = {{{"name", "TZ"}, {"value", "UTC"}},
                {{"name", "PYTHONHASHSEED"}, {"value", "0"}},
                {{"name", "PYTHONUNBUFFERED"}, {"value", "1"}},
                {{"name", "LANG"}, {"value", "C.UTF-8"}}};
  out["volumeMounts"] = {mount("box", "/assay", true), mount("run", "/assay-run", true),
                         mount("work", "/work", false), mount("tmp", "/tmp", false),
                         mount("shm", "/dev/shm", false)};
  return out;
}

json volumes(const PodSpec& spec, const Manifest& manifest, std::size_t pack_bytes) {
  json sources = json::array();
  for (std::size_t i = 0; i < manifest.parts.size(); ++i) {
    sources.push_back({{"configMap", {{"name", config_map_name(manifest.job_name, i)}}}});
  }
  const std::uint64_t room = pack_bytes + (16ULL << 20);
  return {{{"name", "packs"}, {"projected", {{"sources", sources}}}},
          empty_folder("plan", room),
          empty_folder("box", room),
          empty_folder("run", 1ULL << 20),
          empty_folder("work", spec.limits.work_bytes),
          empty_folder("tmp", spec.limits.tmp_bytes),
          empty_folder("shm", spec.limits.shm_bytes, true)};
}

json toleration(const std::string& text) {
  const auto colon = text.find(':');
  const std::string key = text.substr(0, std::min(colon, text.find('=')));
  json out = {{"key", key}};
  if (const auto equals = text.find('='); equals < colon) {
    out["operator"] = "Equal";
    out["value"] = text.substr(equals + 1, colon - equals - 1);
  } else {
    out["operator"] = "Exists";
  }
  if (colon != std::string::npos) out["effect"] = text.substr(colon + 1);
  return out;
}

json pod_template(const PodSpec& spec, const Settings& settings, const ClusterSettings& cluster,
                  const PodProfile& profile) {
  json out = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", settings.service_account},
              {"hostNetwork", false},
              {"hostPID", false},
              {"hostIPC", false},
              {"shareProcessNamespace", false},
              {"terminationGracePeriodSeconds", 1},
              {"securityContext",
               {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
              {"initContainers", json::array({prepare_container(settings, cluster)})},
              {"containers", json::array({subject_container(spec, settings, profile),
                                          harness_container(settings)})}};
  if (!profile.node_selector.empty()) out["nodeSelector"] = profile.node_selector;
  if (!profile.priority_class.empty()) out["priorityClassName"] = profile.priority_class;
  if (!profile.runtime_class.empty()) out["runtimeClassName"] = profile.runtime_class;
  for (const std::string& text : profile.tolerations) {
    out["tolerations"].push_back(toleration(text));
  }
  for (const std::string& name : settings.image_pull_secrets) {
    out["imagePullSecrets"].push_back({{"name", name}});
  }
  return out;
}

std::string spec_digest(const PodSpec& spec, const Settings& settings) {
  PodPlan timeless = spec.plan;
  timeless.deadline = Milliseconds(1);
  std::uint64_t hash = digest(encode_pod_plan(timeless));
  for (const EvaluationFile& file : *spec.files) {
    hash = digest(file.path, hash);
    hash = digest(file.content, digest(std::to_string(file.content.size()), hash));
  }
  if (spec.program) {
    for (const std::string& word : spec.program->command) {
      hash = digest(word, digest(std::to_string(word.size()), hash));
    }
    hash = digest(spec.program->image + " " + spec.program->folder, hash);
  }
  return hexadecimal(digest(settings.subject_image + spec.profile, hash), 16);
}

std::string make_pack(const PodSpec& spec, const std::string& runner) {
  Pack pack;
  PodPlan plan = spec.plan;
  json job = json::parse(plan.job, nullptr, false);
  job["endpoints"] = json::object();
  job["submission"] = "/assay/submission";
  plan.job = job.dump(-1, ' ', false, json::error_handler_t::replace);
  plan.first_connect_timeout = plan.deadline;
  pack.plan = encode_pod_plan(plan);
  pack.runner = runner;
  for (const EvaluationFile& file : *spec.files) pack.files.push_back({file.path, file.content});
  return encode_pack(pack);
}

json labels_of(const PodIdentity& identity) {
  return {{kManagedBy, kManager},
          {kTaskLabel, label_value(identity.task)},
          {kAttemptLabel, std::to_string(identity.attempt)},
          {kBatchLabel, label_value(identity.batch)},
          {kLaunchLabel, std::to_string(identity.launch)},
          {kOwnerLabel, label_value(identity.owner)},
          {kEgressLabel, "none"}};
}

}  // namespace

std::string object_name(const std::string& text) {
  constexpr std::size_t kReadableMax = 48;
  std::string out;
  for (const char c : text.substr(0, kReadableMax)) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '-';
  }
  return "assay-" + out + "-" + hexadecimal(digest(text), 8);
}

std::string task_label(const std::string& task) {
  return label_value(task);
}

Result<Manifest> make_manifest(const PodSpec& spec, const Settings& settings,
                               const ClusterSettings& cluster, const std::string& runner) {
  const auto profile = settings.profiles.find(spec.profile);
  const PodProfile& chosen = profile == settings.profiles.end() ? PodProfile() : profile->second;
  const std::string pack = make_pack(spec, runner);
  if (pack.size() > settings.pack_bytes_max) {
    return fix_input("submission_too_large",
                     "expected a submission of at most " + std::to_string(settings.pack_bytes_max) +
                         " bytes with its plan, found " + std::to_string(pack.size()));
  }
  Manifest out;
  const PodIdentity& identity = spec.identity;
  out.job_name = object_name(identity.task + "-" + std::to_string(identity.attempt) + "-" +
                             identity.batch + "-" + std::to_string(identity.launch));
  out.task_label = task_label(identity.task);
  out.spec = spec_digest(spec, settings);
  for (std::size_t begin = 0; begin < pack.size(); begin += kPartBytesMax) {
    out.parts.push_back(pack.substr(begin, kPartBytesMax));
  }
  json pod = pod_template(spec, settings, cluster, chosen);
  pod["volumes"] = volumes(spec, out, pack.size());
  // Longer than everything that is meant to end it: for when nobody is left who would.
  const auto most = spec.plan.deadline + settings.pending_max + settings.image_pull_max;
  const auto deadline = std::chrono::ceil<std::chrono::seconds>(most).count() + 60;
  pod["activeDeadlineSeconds"] = deadline;
  const json labels = labels_of(identity);
  const json job = {{"apiVersion", "batch/v1"},
                    {"kind", "Job"},
                    {"metadata",
                     {{"name", out.job_name},
                      {"labels", labels},
                      {"annotations",
                       {{kSpecAnnotation, out.spec},
                        {"assay.dev/task-id", identity.task},
                        {"assay.dev/owner-name", identity.owner}}}}},
                    {"spec",
                     {{"backoffLimit", 0},
                      {"completions", 1},
                      {"parallelism", 1},
                      {"activeDeadlineSeconds", deadline},
                      {"ttlSecondsAfterFinished", settings.finished_ttl_seconds},
                      {"template", {{"metadata", {{"labels", labels}}}, {"spec", pod}}}}}};
  out.job = job.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

}  // namespace assay::eval::kubernetes
