// What goes out of a sandbox through a relay, and what does not. Upstream is a server that tells
// what it was sent.
#include "workers/eval/relay/relay.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <microhttpd.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "workers/eval/executor/local/descriptor.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers every request with {"path", "authorization", "type", "body"} of it.
class Upstream {
 public:
  Upstream() {
    daemon_ =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr, &answer, nullptr,
                         MHD_OPTION_NOTIFY_COMPLETED, &completed, nullptr, MHD_OPTION_END);
    EXPECT_NE(daemon_, nullptr);
    port_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
  }
  ~Upstream() { MHD_stop_daemon(daemon_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

 private:
  static MHD_Result answer(void*, MHD_Connection* connection, const char* url, const char*,
                           const char*, const char* data, std::size_t* size, void** context) {
    if (*context == nullptr) {
      *context = new std::string;
      return MHD_YES;
    }
    auto& body = *static_cast<std::string*>(*context);
    if (*size > 0) {
      body.append(data, *size);
      *size = 0;
      return MHD_YES;
    }
    const auto header = [&](const char* name) {
      const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
      return std::string(value == nullptr ? "" : value);
    };
    const std::string text = json({{"path", url},
                                   {"authorization", header("Authorization").substr(0, 9)},
                                   {"echo", header("Authorization")},
                                   {"type", header("Content-Type").substr(0, 19)},
                                   {"body", body}})
                                 .dump();
    MHD_Response* response = MHD_create_response_from_buffer(
        text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
    const MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
  }
  static void completed(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    delete static_cast<std::string*>(*context);
  }
  MHD_Daemon* daemon_ = nullptr;
  std::uint16_t port_ = 0;
};

struct Answer {
  long status = 0;
  std::string body;
  json as_json() const { return json::parse(body, nullptr, false); }
};

class RelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/assay-relay-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::ofstream(folder_ + "/key") << "sk-very-secret\n";
    endpoint_.name = "local-llm";
    endpoint_.url = upstream_.url();
    endpoint_.api_key_file = folder_ + "/key";
    endpoint_.models = {"small", "large"};
  }
  void TearDown() override {
    relay_.reset();
    fs::remove_all(folder_);
  }
  void start(std::uint64_t requests_max = 100) {
    budget_ = std::make_shared<RequestBudget>(requests_max);
    const Descriptor folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto relay = Relay::start(endpoint_, budget_, folder.get());
    ASSERT_TRUE(relay.is_ok()) << relay.status().to_string();
    relay_ = std::move(relay).value();
  }
  Answer request(const std::string& path, const std::string* body, curl_mime* form = nullptr,
                 CURL* given = nullptr) {
    Answer out;
    CURL* curl = given == nullptr ? curl_easy_init() : given;
    const std::string socket = folder_ + "/endpoints/local-llm.sock";
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, ("http://inside" + path).c_str());
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    if (body != nullptr) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
    }
    if (form != nullptr) curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
    const auto keep = +[](char* bytes, std::size_t, std::size_t count, void* into) {
      static_cast<std::string*>(into)->append(bytes, count);
      return count;
    };
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
    EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
    curl_easy_cleanup(curl);
    return out;
  }
  Answer get(const std::string& path) { return request(path, nullptr); }
  Answer post(const std::string& path, const std::string& body) { return request(path, &body); }

  std::string folder_;
  Upstream upstream_;
  Endpoint endpoint_;
  std::shared_ptr<RequestBudget> budget_;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, AChatGoesOutWithTheKeyAndTheKeyDoesNotComeBack) {
  start();
  const Answer answer = post("/v1/chat/completions", R"({"model":"small","messages":[]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.as_json()["path"], "/v1/chat/completions");
  EXPECT_EQ(answer.as_json()["authorization"], "Bearer sk");
  EXPECT_EQ(answer.as_json()["echo"], "Bearer ***");
  EXPECT_THAT(answer.body, Not(HasSubstr("sk-very-secret")));
  EXPECT_EQ(budget_->used, 1U);
}

TEST_F(RelayTest, AModelThatIsNotGrantedIsRefusedHoweverItIsWritten) {
  start();
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"huge"})").status, 403);
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":["small"]})").status, 400);
  EXPECT_EQ(post("/v1/chat/completions", R"(not JSON)").status, 400);
  EXPECT_EQ(post("/v1/chat/completions", std::string(100'000, '[')).status, 400);
  EXPECT_EQ(budget_->used, 0U);
  // The same key twice: what was checked is what is sent.
  const Answer twice = post("/v1/chat/completions", R"({"model":"huge","model":"small"})");
  EXPECT_EQ(twice.as_json()["body"], R"({"model":"small"})");
}

TEST_F(RelayTest, NothingElseGoesOut) {
  start();
  for (const char* path : {"/", "/v1/files", "/v1/chat/completions/../files", "/v1/models/small"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get("/v1/chat/completions").status, 404);
  EXPECT_EQ(post("/v1/models", "{}").status, 404);
  EXPECT_EQ(budget_->used, 0U);
}

TEST_F(RelayTest, TheModelsAreThoseThatAreGranted) {
  start();
  const json list = get("/v1/models").as_json();
  ASSERT_EQ(list["data"].size(), 2U);
  EXPECT_EQ(list["data"][0]["id"], "small");
}

TEST_F(RelayTest, WhenTheBudgetIsSpentNothingGoesOut) {
  start(2);
  const std::string body = R"({"model":"small"})";
  EXPECT_EQ(post("/v1/chat/completions", body).status, 200);
  EXPECT_EQ(post("/v1/chat/completions", body).status, 200);
  const Answer third = post("/v1/chat/completions", body);
  EXPECT_EQ(third.status, 403);
  EXPECT_THAT(third.body, HasSubstr("has made its 2 requests"));
}

TEST_F(RelayTest, ABodyThatIsTooLargeIsRefused) {
  start();
  EXPECT_EQ(post("/v1/chat/completions", std::string(5 << 20, ' ')).status, 413);
}

TEST_F(RelayTest, ATranscriptionIsWrittenAnew) {
  start();
  CURL* curl = curl_easy_init();
  curl_mime* form = curl_mime_init(curl);
  curl_mimepart* part = curl_mime_addpart(form);
  curl_mime_name(part, "file");
  curl_mime_filename(part, "a.wav");
  const std::string sound(200'000, '\x01');
  curl_mime_data(part, sound.data(), sound.size());
  part = curl_mime_addpart(form);
  curl_mime_name(part, "model");
  curl_mime_data(part, "small", CURL_ZERO_TERMINATED);
  const Answer answer = request("/v1/audio/transcriptions", nullptr, form, curl);
  curl_mime_free(form);
  EXPECT_EQ(answer.status, 200) << answer.body.substr(0, 300);
  EXPECT_EQ(answer.as_json()["type"], "multipart/form-data");
  EXPECT_THAT(answer.as_json()["body"].get<std::string>(), HasSubstr(sound));
  EXPECT_EQ(post("/v1/audio/transcriptions", "no form").status, 400);
}

TEST_F(RelayTest, AFormWithAPartWithoutANameIsRefusedAndTheRelayGoesOn) {
  start();
  CURL* curl = curl_easy_init();
  curl_mime* form = curl_mime_init(curl);
  curl_mime_data(curl_mime_addpart(form), "nobody's", CURL_ZERO_TERMINATED);
  curl_mimepart* part = curl_mime_addpart(form);
  curl_mime_name(part, "model");
  curl_mime_data(part, "small", CURL_ZERO_TERMINATED);
  EXPECT_EQ(request("/v1/audio/transcriptions", nullptr, form, curl).status, 400);
  curl_mime_free(form);
  EXPECT_EQ(budget_->used, 0U);
  EXPECT_EQ(get("/v1/models").status, 200);
}

TEST_F(RelayTest, AnEndpointThatIsAwayIsSaidToBeSoWithoutItsAddress) {
  endpoint_.url = "http://127.0.0.1:1";
  start();
  const Answer answer = post("/v1/chat/completions", R"({"model":"small"})");
  EXPECT_EQ(answer.status, 502);
  EXPECT_THAT(answer.body, HasSubstr("local-llm"));
  EXPECT_THAT(answer.body, Not(HasSubstr("127.0.0.1")));
}

}  // namespace
}  // namespace assay::eval
