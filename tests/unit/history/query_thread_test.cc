#include "broker/history/query_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "broker/history/schema.h"
#include "tests/unit/history/history_folder.h"

namespace assay::history {
namespace {

class QueryThreadTest : public testing::HistoryFolder {
 protected:
  static Status answer_of(QueryThread& thread) {
    std::promise<Status> answer;
    const Status asked = thread.ask([&](Result<Reader*> reader) {
      answer.set_value(reader.is_ok() ? (*reader)->list({}, 10).status() : reader.status());
    });
    return asked.is_ok() ? answer.get_future().get() : asked;
  }
};

TEST_F(QueryThreadTest, AQuestionIsAnsweredOnceThereIsAHistory) {
  QueryThread thread(path());
  EXPECT_EQ(answer_of(thread).reason(), kReasonUnreachable);
  ASSERT_TRUE(open_for_writing(path()).is_ok());
  EXPECT_TRUE(answer_of(thread).is_ok());
}

TEST_F(QueryThreadTest, MoreQuestionsThanMayWaitAreRefused) {
  std::latch begun(1), go_on(1);
  int answered = 0;
  {
    QueryThread thread(path());
    ASSERT_TRUE(thread
                    .ask([&](Result<Reader*>) {
                      begun.count_down();
                      go_on.wait();
                    })
                    .is_ok());
    begun.wait();
    for (std::size_t i = 0; i < kQuestionsWaitingMax; ++i)
      ASSERT_TRUE(thread.ask([&](Result<Reader*>) { ++answered; }).is_ok());
    const Status refused = thread.ask([](Result<Reader*>) {});
    EXPECT_EQ(refused.code(), Code::kRetryLater);
    EXPECT_EQ(refused.reason(), "history_queries_full");
    go_on.count_down();
  }
  EXPECT_LE(answered, static_cast<int>(kQuestionsWaitingMax));
}

}  // namespace
}  // namespace assay::history
