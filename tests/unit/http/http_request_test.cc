#include "sdk/http/request.h"

#include <gtest/gtest.h>

namespace assay::http {
namespace {

Response with_retry_after(const std::string& value) {
  Response out;
  out.headers = {{"retry-after", value}};
  return out;
}

TEST(HttpResponse, RetryAfterIsReadWhateverServersMakeOfIt) {
  EXPECT_EQ(with_retry_after("3").retry_after(), Milliseconds(3000));
  EXPECT_EQ(with_retry_after("0.25").retry_after(), Milliseconds(250));
  EXPECT_EQ(with_retry_after("35.852\xc2\xb5s").retry_after(), std::nullopt);
  EXPECT_EQ(with_retry_after("2s").retry_after(), Milliseconds(1000));
  EXPECT_EQ(with_retry_after("1e300").retry_after(), Milliseconds(3'600'000));
  EXPECT_EQ(with_retry_after("-1").retry_after(), std::nullopt);
  EXPECT_EQ(with_retry_after("nan").retry_after(), std::nullopt);
  EXPECT_EQ(with_retry_after("Wed, 21 Oct 2015 07:28:00 GMT").retry_after(), std::nullopt);
  EXPECT_EQ(Response().retry_after(), std::nullopt);
}

TEST(HttpAddress, OnlyTheOpenInternetIsPublic) {
  for (const char* address : {"1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1",
                              "2606:4700:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(is_public_address(address)) << address;
  }
  for (const char* address : {"127.0.0.1",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "0.0.0.0",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1",
                              "fc00::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::127.0.0.1",
                              "2002:7f00:1::",
                              "64:ff9b::a00:1",
                              "2001:db8::1",
                              "example.org",
                              ""}) {
    EXPECT_FALSE(is_public_address(address)) << address;
  }
}

}  // namespace
}  // namespace assay::http
