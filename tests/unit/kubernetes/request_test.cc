// What a worker with a cluster takes, and what it refuses with a clear word.
#include "workers/eval/request.h"

#include <gtest/gtest.h>

namespace assay::eval {
namespace {

EvaluationSettings with_an_endpoint() {
  EvaluationSettings out;
  out.executor = "kubernetes";
  Endpoint endpoint;
  endpoint.name = "llm";
  endpoint.url = "http://127.0.0.1:1";
  out.endpoints = {endpoint};
  return out;
}

Evaluation script() {
  Evaluation out;
  out.entry = "a.py";
  out.files = {{"a.py", "def test_a(): pass"}, {"grader/g.py", "x"}, {"grader/answers", "42"}};
  return out;
}

std::string reason_of(const Evaluation& evaluation) {
  return make_request(encode_evaluation(evaluation), with_an_endpoint(), {}).status().reason();
}

TEST(KubernetesRequest, ScriptsAreTakenAndWhatPodsCannotDoIsRefused) {
  EXPECT_EQ(reason_of(script()), "");
  Evaluation asks = script();
  asks.endpoint = "llm";
  EXPECT_EQ(reason_of(asks), "endpoint_not_granted");
  Evaluation image;
  image.kind = EvaluationKind::kImage;
  image.entry = "registry/image:1";
  EXPECT_EQ(reason_of(image), "");
}

TEST(KubernetesRequest, AGraderAndItsFolderAreKeptFromTheSubject) {
  Evaluation graded = script();
  graded.grader = "grader/g.py";
  const auto request = make_request(encode_evaluation(graded), with_an_endpoint(), {});
  ASSERT_TRUE(request.is_ok()) << request.status().to_string();
  ASSERT_EQ(request->files->size(), 1U);
  EXPECT_EQ(request->files->front().path, "a.py");
  EXPECT_EQ(request->grader_files->size(), 3U);
  graded.grader = "none.py";
  EXPECT_EQ(reason_of(graded), "invalid_evaluation");
}

}  // namespace
}  // namespace assay::eval
