#include "workers/eval/executor/kubernetes/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "workers/eval/base64.h"

#include "workers/eval/executor/kubernetes/pod/pack.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

PodSpec spec(const std::string& content = "pass") {
  PodSpec out;
  out.identity = {"01ABC", 2, "team a/b", "3", 1};
  out.files = std::make_shared<const std::vector<EvaluationFile>>(
      std::vector<EvaluationFile>{{"my_eval.py", content}});
  return out;
}

Manifest make(const PodSpec& pod, const Settings& settings = {}) {
  auto manifest = make_manifest(pod, settings, settings.clusters[0], "");
  EXPECT_TRUE(manifest.is_ok());
  return std::move(manifest).value();
}

TEST(Manifest, EveryContainerIsHardened) {
  const json job = json::parse(make(spec()).job);
  const json& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["enableServiceLinks"], false);
  EXPECT_EQ(pod["hostNetwork"], false);
  EXPECT_EQ(pod["hostPID"], false);
  EXPECT_EQ(pod["shareProcessNamespace"], false);
  EXPECT_EQ(pod["restartPolicy"], "Never");
  EXPECT_EQ(pod["securityContext"]["runAsNonRoot"], true);
  EXPECT_EQ(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
  EXPECT_GT(pod["activeDeadlineSeconds"], 0);
  std::size_t containers = 0;
  for (const char* list : {"initContainers", "containers"}) {
    for (const json& one : pod[list]) {
      ++containers;
      const json& context = one["securityContext"];
      EXPECT_EQ(context["allowPrivilegeEscalation"], false);
      EXPECT_EQ(context["privileged"], false);
      EXPECT_EQ(context["readOnlyRootFilesystem"], true);
      EXPECT_EQ(context["runAsNonRoot"], true);
      EXPECT_EQ(context["capabilities"]["drop"], json::array({"ALL"}));
      for (const char* kind : {"cpu", "memory", "ephemeral-storage"}) {
        EXPECT_TRUE(one["resources"]["limits"].contains(kind)) << kind;
        EXPECT_EQ(one["resources"]["limits"][kind], one["resources"]["requests"][kind]);
      }
    }
  }
  EXPECT_EQ(containers, 3U);
  EXPECT_EQ(job["spec"]["backoffLimit"], 0);
  EXPECT_NE(pod["containers"][0]["securityContext"]["runAsUser"],
            pod["containers"][1]["securityContext"]["runAsUser"]);
}

TEST(Manifest, TheSubjectSeesOnlyWhatItMayAndWritesOnlyItsOwn) {
  const json job = json::parse(make(spec()).job);
  const json& subject = job["spec"]["template"]["spec"]["containers"][0];
  ASSERT_EQ(subject["name"], "subject");
  for (const json& mount : subject["volumeMounts"]) {
    const std::string name = mount["name"];
    EXPECT_NE(name, "plan");
    EXPECT_NE(name, "packs");
    const bool its_own = name == "work" || name == "tmp" || name == "shm";
    EXPECT_EQ(mount["readOnly"], !its_own) << name;
  }
  for (const json& volume : job["spec"]["template"]["spec"]["volumes"]) {
    EXPECT_FALSE(volume.contains("hostPath"));
    EXPECT_TRUE(!volume.contains("emptyDir") || volume["emptyDir"].contains("sizeLimit"));
  }
}

TEST(Manifest, NamesAndLabelsAreAFunctionOfTaskAttemptAndBatch) {
  const Manifest first = make(spec());
  EXPECT_EQ(first.job_name, make(spec()).job_name);
  PodSpec other = spec();
  other.identity.batch = "4";
  EXPECT_NE(first.job_name, make(other).job_name);
  const json labels = json::parse(first.job)["metadata"]["labels"];
  EXPECT_EQ(labels["assay.dev/task"], "01ABC");
  EXPECT_EQ(labels["assay.dev/attempt"], "2");
  EXPECT_EQ(labels["assay.dev/batch"], "3");
  EXPECT_EQ(labels["assay.dev/owner"], "team_a_b");
  EXPECT_EQ(labels["assay.dev/egress"], "none");
  EXPECT_LE(object_name(std::string(200, 'x')).size(), 63U);
  EXPECT_NE(object_name(std::string(200, 'x')), object_name(std::string(201, 'x')));
}

TEST(Manifest, WhatItRunsIsToldApartAndTimeIsNoPartOfThat) {
  PodSpec later = spec();
  later.plan.deadline = std::chrono::milliseconds(1234);
  EXPECT_EQ(make(spec()).spec, make(later).spec);
  EXPECT_NE(make(spec()).spec, make(spec("raise")).spec);
}

TEST(Manifest, ALargeSubmissionIsSplitUnderTheLimitAndATooLargeOneRefused) {
  std::string content(2'500'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7919 >> 5);
  const Manifest manifest = make(spec(content));
  ASSERT_EQ(manifest.parts.size(), 3U);
  std::string joined;
  for (std::size_t i = 0; i < manifest.parts.size(); ++i) {
    EXPECT_LT(manifest.parts[i].size(), 1U << 20);
    const json map = json::parse(config_map(manifest, i, "uid-1"));
    EXPECT_EQ(map["metadata"]["ownerReferences"][0]["uid"], "uid-1");
    ASSERT_TRUE(decode_base64(map["binaryData"].begin().value().get<std::string>(), joined));
  }
  Pack pack;
  std::string error;
  ASSERT_TRUE(decode_pack(joined, pack, error)) << error;
  EXPECT_EQ(pack.files.at(0).content, content);
  const auto refused =
      make_manifest(spec(std::string(9U << 20, 'x')), Settings(), ClusterSettings(), "");
  EXPECT_EQ(refused.status().reason(), "submission_too_large");
}

TEST(Manifest, AProfileBringsItsPlaceInTheCluster) {
  Settings settings;
  settings.profiles["small"] = {.cpu = "4",
                                .gpus = 2,
                                .node_selector = {{"gpu", "a100"}},
                                .tolerations = {"spot:NoSchedule", "team=x"},
                                .priority_class = "batch",
                                .runtime_class = "gvisor"};
  const json job = json::parse(make(spec(), settings).job);
  const json& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"], "2");
  EXPECT_EQ(pod["nodeSelector"]["gpu"], "a100");
  EXPECT_EQ(pod["tolerations"][0],
            json({{"key", "spot"}, {"operator", "Exists"}, {"effect", "NoSchedule"}}));
  EXPECT_EQ(pod["tolerations"][1], json({{"key", "team"}, {"operator", "Equal"}, {"value", "x"}}));
  EXPECT_EQ(pod["priorityClassName"], "batch");
  EXPECT_EQ(pod["runtimeClassName"], "gvisor");
}

TEST(Pack, APathThatLeavesItsFolderIsRefused) {
  for (const char* path : {"../x", "/x", "a/../../x", "", "a//b"}) {
    Pack pack;
    pack.files = {{path, "content"}};
    Pack out;
    std::string error;
    EXPECT_FALSE(decode_pack(encode_pack(pack), out, error)) << path;
  }
  Pack out;
  std::string error;
  EXPECT_FALSE(decode_pack("nonsense", out, error));
}

TEST(ManifestOfAnImage, TheImageIsTheSubjectAndItsWordsAreOurs) {
  PodSpec pod;
  pod.files = std::make_shared<const std::vector<EvaluationFile>>();
  pod.program = ImageProgram{"r/bench@sha256:1", {"/run", "$(HOME) $x"}, "/app"};
  Settings settings;
  const auto made = make_manifest(pod, settings, settings.clusters[0], "");
  ASSERT_TRUE(made.is_ok());
  const auto job = nlohmann::json::parse(made->job);
  const auto& subject = job["spec"]["template"]["spec"]["containers"][0];
  EXPECT_EQ(subject["image"], "r/bench@sha256:1");
  const std::vector<std::string> words = subject["command"];
  EXPECT_EQ(words[0], "/assay/assay-pod");
  const std::vector<std::string> end(words.end() - 5, words.end());
  EXPECT_EQ(end, (std::vector<std::string>{"--folder", "/app", "--", "/run", "$$(HOME) $$x"}));
  // Another program is another Job's work.
  pod.program->command.back() = "other";
  EXPECT_NE(make_manifest(pod, settings, settings.clusters[0], "")->spec, made->spec);
}

}  // namespace
}  // namespace assay::eval::kubernetes
