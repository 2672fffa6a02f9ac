// docs/protocol.md says what the code does: every key, every number, every limit, the example's
// bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "sdk/wire/fields.h"
#include "sdk/wire/limits.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

std::string file_at(const std::string& path) {
  const char* source = std::getenv("ASSAY_SOURCE");
  EXPECT_NE(source, nullptr) << "run this through ctest, which sets ASSAY_SOURCE";
  std::ifstream file(std::string(source == nullptr ? "." : source) + "/" + path);
  EXPECT_TRUE(file.is_open()) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// What stands under a heading of the fourth level.
std::string section(const std::string& document, const std::string& heading) {
  const std::string line = "\n#### " + heading + "\n";
  std::size_t begin = document.find(line);
  if (begin == std::string::npos) return "";
  begin += line.size() - 1;
  return document.substr(begin, document.find("\n##", begin) - begin);
}

std::size_t rows_in(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("\n| `", at)) != std::string::npos; ++at) ++count;
  return count;
}

template <typename Struct>
void expect_described(const std::string& document, const std::string& heading) {
  const std::string text = section(document, heading);
  ASSERT_FALSE(text.empty()) << "no section '#### " << heading << "'";
  std::apply(
      [&](const auto&... field) {
        [[maybe_unused]] const auto expect_row = [&](std::string_view key, wire::Need need) {
          const std::size_t begin = text.find("\n| `" + std::string(key) + "` |");
          ASSERT_NE(begin, std::string::npos) << heading << " has no row for " << key;
          const std::string row = text.substr(begin + 1, text.find('\n', begin + 1) - begin);
          EXPECT_THAT(row,
                      HasSubstr(need == wire::Need::kRequired ? "| required |" : "| optional, "))
              << heading;
        };
        (expect_row(field.key, field.need), ...);
        EXPECT_EQ(rows_in(text), sizeof...(field))
            << heading << " describes keys that are not sent";
      },
      wire::Fields<Struct>::kAll);
}

template <typename... Struct>
void expect_messages_described(const std::string& document, const std::variant<Struct...>*) {
  const auto expect_one = [&]<typename T>(const T*) {
    const MessageType type = wire::Fields<T>::kType;
    const std::string number = std::to_string(static_cast<int>(type));
    const std::string name(to_string(type));
    EXPECT_THAT(document, HasSubstr("| " + number + " | " + name + " |"));
    expect_described<T>(document, name + " (" + number + ")");
  };
  (expect_one(static_cast<const Struct*>(nullptr)), ...);
}

TEST(ProtocolDocumentTest, DescribesEveryKeyOfEveryMessage) {
  const std::string document = file_at("docs/protocol.md");
  expect_messages_described(document, static_cast<const Message*>(nullptr));
  expect_described<HeldAttempt>(document, "held attempt");
  expect_described<TaskSpec>(document, "task");
  expect_described<TaskResult>(document, "result");
  expect_described<TaskInfo>(document, "task info");
  expect_described<AttemptInfo>(document, "attempt info");
  expect_described<QueueInfo>(document, "queue info");
  expect_described<WorkerInfo>(document, "worker info");
  expect_described<TaskAssignment>(document, "assignment");
  expect_described<TaskInput>(document, "input");
  expect_described<TaskReport>(document, "report");
  expect_described<ProgressReport>(document, "progress report");
  expect_described<FeedEvent>(document, "event");
  expect_described<Usage>(document, "usage");
  expect_described<Explanation>(document, "explanation");
  expect_described<DependencyInfo>(document, "dependency");
  expect_described<UsageRow>(document, "usage row");
  expect_described<ScheduleInfo>(document, "schedule");
  expect_described<QuarantineInfo>(document, "quarantine");
}

TEST(ProtocolDocumentTest, NamesEveryLimit) {
  const std::string document = file_at("docs/protocol.md");
  for (const auto& [what, limit] : std::map<std::string, std::uint64_t>{
           {"a body, a result", wire::kBodyBytesMax},
           {"a message", wire::kMessageBytesMax},
           {"items of a list", wire::kListItemsMax},
           {"a text", wire::kTextBytesMax},
           {"a name", wire::kNameBytesMax},
           {"labels of a task", wire::kLabelCountMax},
           {"a label's key", wire::kLabelKeyBytesMax},
           {"a label's value", wire::kLabelValueBytesMax},
           {"levels in the value of an unknown key", wire::kNestingMax},
           {"a time", wire::kTimeMsMax},
           {"a duration", wire::kDurationMsMax}}) {
    EXPECT_THAT(document, HasSubstr("| " + what + " | " + std::to_string(limit) + " "));
  }
}

TEST(ProtocolDocumentTest, NamesEveryErrorCodeAndState) {
  const std::string document = file_at("docs/protocol.md");
  std::string codes = "| **code** of an error | ";
  for (int code = 1; code <= static_cast<int>(Code::kInternal); ++code) {
    codes += "| " + std::string(to_string(static_cast<Code>(code))) + " ";
  }
  EXPECT_THAT(document, HasSubstr(codes + "|"));
  std::string states = "| **state** of a task ";
  for (int state = 0; state <= static_cast<int>(TaskState::kCancelled); ++state) {
    states += "| " + std::string(to_string(static_cast<TaskState>(state))) + " ";
  }
  EXPECT_THAT(document, HasSubstr(states + "|"));
  std::string operations = "| **operation** of an operator ";
  for (int operation = 0; operation <= static_cast<int>(Operation::kUnpin); ++operation) {
    operations += "| " + std::string(to_string(static_cast<Operation>(operation))) + " ";
  }
  EXPECT_THAT(document, HasSubstr(operations + "|"));
}

TEST(ProtocolDocumentTest, ExampleHasTheGoldenBytes) {
  const std::string document = file_at("docs/protocol.md");
  const std::string golden = file_at("tests/golden/messages/version_1.txt");
  std::istringstream lines(document.substr(document.find("## 14. A worked example")));
  std::string message;  // "header\npayload\n", as it stands in the golden file
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 3 && line.substr(1, 2) == ": " && line.substr(3, 4) == "4153") {
      message = line.substr(3) + "\n";
    } else if (!message.empty() && line == "```") {
      EXPECT_THAT(golden, HasSubstr(message + "\n"));
      message.clear();
      ++count;
    } else if (!message.empty()) {
      message += line.substr(3);
    }
  }
  EXPECT_EQ(count, 8);
}

}  // namespace
}  // namespace assay
