#include "workers/eval/executor/kubernetes/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::eval::kubernetes {
namespace {

using ::testing::HasSubstr;

ContainerState ended(const char* name, int exit_code, const char* reason) {
  ContainerState out;
  out.name = name;
  out.terminated = true;
  out.exit_code = exit_code;
  out.reason = reason;
  return out;
}

PodState pending(const char* reason, const char* message) {
  PodState out;
  out.phase = "Pending";
  out.scheduled = true;
  ContainerState subject;
  subject.name = kSubject;
  subject.waiting = true;
  subject.reason = reason;
  subject.message = message;
  out.containers = {subject};
  return out;
}

TEST(Classify, ThePodsOwnReasonComesFirst) {
  PodState pod;
  pod.phase = "Failed";
  pod.reason = "Evicted";
  pod.message = "The node had condition: [DiskPressure].";
  pod.containers = {ended(kHarness, 0, "Completed")};
  EXPECT_EQ(fault_of(pod, false).blame, Blame::kInfrastructure);
  pod.message = "Usage of EmptyDir volume \"work\" exceeds the limit \"512Mi\".";
  EXPECT_EQ(fault_of(pod, false).blame, Blame::kLimit);
  EXPECT_EQ(fault_of(pod, false).limit, "storage");
  pod.reason = "DeadlineExceeded";
  EXPECT_EQ(fault_of(pod, false).limit, "time");
  pod.reason = "NodeLost";
  EXPECT_EQ(fault_of(pod, false).blame, Blame::kInfrastructure);
}

TEST(Classify, AFullDiskThatADisruptionTellsOfIsStillTheTasks) {
  PodState pod;
  pod.reason = "Evicted";
  pod.message = "Container subject exceeded its local ephemeral storage limit \"1Gi\".";
  pod.disruption = "TerminationByKubelet";
  EXPECT_EQ(fault_of(pod, false).blame, Blame::kLimit);
  pod.reason = "";
  EXPECT_THAT(fault_of(pod, false).reason, HasSubstr("TerminationByKubelet"));
}

TEST(Classify, NothingAtAllIsNeverASuccess) {
  EXPECT_EQ(fault_of(PodState(), false).blame, Blame::kInfrastructure);
  EXPECT_THAT(fault_of(PodState(), true).reason, HasSubstr("deleted"));
  PodState restarted;
  restarted.containers = {ended(kHarness, 0, "Completed")};
  restarted.containers[0].restarts = 1;
  EXPECT_THAT(fault_of(restarted, false).reason, HasSubstr("restarted"));
}

TEST(Classify, TheSubjectsContainerSaysWhyItNeverCame) {
  EXPECT_EQ(subject_fault(ended(kSubject, 137, "OOMKilled")).limit, "memory");
  EXPECT_THAT(subject_fault(ended(kSubject, 127, "Error")).reason, HasSubstr("no Python"));
  EXPECT_EQ(subject_fault(ended(kSubject, 1, "Error")).blame, Blame::kTask);
}

TEST(Classify, AnImageThatTheRegistryRefusesFailsSoonAndOneThatIsSlowLate) {
  const Settings settings;
  const PodState refused = pending("ImagePullBackOff", "manifest for x:y not found");
  EXPECT_FALSE(overdue(refused, Milliseconds(10'000), settings, ""));
  const auto fault = overdue(refused, Milliseconds(20'000), settings, "");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->blame, Blame::kTask);
  const PodState slow = pending("ErrImagePull", "i/o timeout");
  EXPECT_FALSE(overdue(slow, Milliseconds(899'000), settings, ""));
  EXPECT_EQ(overdue(slow, Milliseconds(900'000), settings, "")->blame, Blame::kInfrastructure);
  EXPECT_TRUE(overdue(pending("InvalidImageName", ""), Milliseconds(0), settings, ""));
  EXPECT_FALSE(overdue(pending("ContainerCreating", ""), Milliseconds(599'000), settings, ""));
  EXPECT_TRUE(overdue(pending("ContainerCreating", ""), Milliseconds(600'000), settings, ""));
}

}  // namespace
}  // namespace assay::eval::kubernetes
