// Webhooks: signed, in order, retried with backoff, given up visibly, sent again; and only to where
// they may go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "workers/report/webhook/courier.h"
#include "workers/report/webhook/post_office.h"

namespace assay::report {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time kStart = Time(Duration(1'700'000'000'000));

class WebhookTest : public testing::Test {
 protected:
  WebhookTest() {
    std::string name = (fs::temp_directory_path() / "assay-webhook-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    spool_ = Spool::open(folder_ / "hook").value();
    endpoint_.name = "hook";
    endpoint_.url = "http://127.0.0.1:9/";
    endpoint_.secret_file = folder_ / "secret";
    std::ofstream(folder_ / "secret") << "s3cret\n";
  }
  ~WebhookTest() override { fs::remove_all(folder_); }

  Courier courier() {
    return {endpoint_, *spool_, [this](const Endpoint&, const Event& event, Time) {
              sent_.push_back(event.id);
              const unsigned status = answers_.empty() ? 200 : answers_.front();
              if (!answers_.empty()) answers_.erase(answers_.begin());
              return Delivery{status, "HTTP", std::nullopt};
            }};
  }

  fs::path folder_;
  std::unique_ptr<Spool> spool_;
  Endpoint endpoint_;
  std::vector<std::string> sent_;
  std::vector<unsigned> answers_;
};

TEST_F(WebhookTest, IsSignedOverTimeAndBody) {
  const std::string one = signature("key", kStart, "{}");
  EXPECT_TRUE(one.starts_with("t=1700000000,v1=")) << one;
  EXPECT_EQ(one.size(), 16U + 64U);
  EXPECT_NE(one, signature("key", kStart + Duration(1000), "{}"));
  EXPECT_NE(one, signature("other", kStart, "{}"));
  EXPECT_NE(one, signature("key", kStart, "{ }"));
}

TEST_F(WebhookTest, TheNextWaitsForTheOneBefore) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(spool_->add(id, "{}").is_ok());
  answers_ = {500, 0, 200, 200};
  Courier one = courier();
  EXPECT_EQ(one.step(kStart), Duration(1000));
  EXPECT_EQ(one.step(kStart + Duration(400)), Duration(600));  // not due
  EXPECT_EQ(one.step(kStart + Duration(1000)), Duration(2000));
  one.step(kStart + Duration(3000));
  EXPECT_THAT(sent_, ElementsAre("a", "a", "a", "b"));
  EXPECT_FALSE(spool_->first());
}

TEST_F(WebhookTest, WhatCannotBeDeliveredIsKeptAndMayBeSentAgain) {
  endpoint_.give_up_after = Duration(5000);
  for (const char* id : {"a", "b"}) ASSERT_TRUE(spool_->add(id, "{}").is_ok());
  answers_ = {500, 500};
  Courier one = courier();
  one.step(kStart);
  one.step(kStart + Duration(6000));  // a is given up, b is delivered
  EXPECT_THAT(spool_->undelivered(), ElementsAre("a"));
  EXPECT_THAT(sent_, ElementsAre("a", "a", "b"));
  EXPECT_TRUE(spool_->add("a", "{}").is_ok());  // the report ran again: it is known
  EXPECT_FALSE(spool_->first());
  EXPECT_EQ(*spool_->send_again(), 1U);
  one.step(kStart + Duration(7000));
  EXPECT_THAT(sent_, ElementsAre("a", "a", "b", "a"));
  EXPECT_THAT(spool_->undelivered(), IsEmpty());
}

TEST_F(WebhookTest, APlaceThatIsGoneIsGivenUpAtOnce) {
  ASSERT_TRUE(spool_->add("a", "{}").is_ok());
  answers_ = {410};
  Courier one = courier();
  one.step(kStart);
  EXPECT_THAT(spool_->undelivered(), ElementsAre("a"));
}

TEST_F(WebhookTest, AKilledWorkersEventsAreThereInTheirOrder) {
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(spool_->add("e" + std::to_string(i), "{}").is_ok());
  spool_ = Spool::open(folder_ / "hook").value();
  Courier one = courier();
  one.step(kStart);
  ASSERT_EQ(sent_.size(), 12U);
  EXPECT_EQ(sent_[1], "e1");
  EXPECT_EQ(sent_[10], "e10");
}

TEST_F(WebhookTest, APrivateAddressIsRefusedBeforeAnythingIsSent) {
  const Delivery refused = send_over_http(endpoint_, {"a", "f", "{}"}, kStart);
  EXPECT_EQ(refused.status, 0U);
  EXPECT_THAT(refused.words, HasSubstr("127.0.0.1"));
  endpoint_.allow_private = true;  // then it is only that nobody listens there
  const Delivery nobody = send_over_http(endpoint_, {"a", "f", "{}"}, kStart);
  EXPECT_EQ(nobody.status, 0U);
  EXPECT_NE(nobody.words, refused.words);
}

TEST_F(WebhookTest, OnlyConfiguredNamesAreTaken) {
  auto office = PostOffice::open(folder_ / "office", {endpoint_});
  ASSERT_TRUE(office.is_ok());
  EXPECT_EQ((*office)->post("elsewhere", "a", "{}").reason(), "unknown_webhook");
  EXPECT_TRUE((*office)->post("hook", "a", "{}").is_ok());
}

}  // namespace
}  // namespace assay::report
