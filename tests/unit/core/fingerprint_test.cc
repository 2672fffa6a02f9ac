#include "broker/core/fingerprint.h"

#include <gtest/gtest.h>

namespace assay::core {
namespace {

TaskSpec a_task() {
  TaskSpec task;
  task.queue = QueueName("eval");
  task.owner = OwnerName("ann");
  task.labels = {{"run", "7"}};
  task.body = "body";
  return task;
}

TEST(Fingerprint, IsTheSameForTheSameContent) {
  EXPECT_EQ(fingerprint(a_task()), fingerprint(a_task()));
}

TEST(Fingerprint, DoesNotDependOnTheId) {
  TaskSpec other = a_task();
  other.id.bytes[0] = 1;
  EXPECT_EQ(fingerprint(a_task()), fingerprint(other));
}

TEST(Fingerprint, DiffersWhereTheProducerSaidSomethingElse) {
  const auto differs = [](auto change) {
    TaskSpec other = a_task();
    change(other);
    return fingerprint(other) != fingerprint(a_task());
  };
  EXPECT_TRUE(differs([](TaskSpec& task) { task.queue = QueueName("build"); }));
  EXPECT_TRUE(differs([](TaskSpec& task) { task.owner = OwnerName("bob"); }));
  EXPECT_TRUE(differs([](TaskSpec& task) { task.priority = 6; }));
  EXPECT_TRUE(differs([](TaskSpec& task) { task.max_attempts = 2; }));
  EXPECT_TRUE(differs([](TaskSpec& task) { task.labels["run"] = "8"; }));
  EXPECT_TRUE(differs([](TaskSpec& task) { task.body = "body "; }));
}

TEST(Fingerprint, TellsWhereOneFieldEndsAndTheNextBegins) {
  TaskSpec one = a_task(), other = a_task();
  one.labels = {{"a", "bc"}};
  other.labels = {{"ab", "c"}};
  EXPECT_NE(fingerprint(one), fingerprint(other));
}

// The journal of a release holds these numbers: another way of computing them would make conflicts
// of repeats.
TEST(Fingerprint, NeverChanges) {
  EXPECT_EQ(fingerprint(a_task()), 9550023697814177672ULL);
}

}  // namespace
}  // namespace assay::core
