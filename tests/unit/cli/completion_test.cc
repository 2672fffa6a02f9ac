// What the shell and man(1) are told of the command.
#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "cli/manual.h"

namespace assay::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "no pipe";
  char bytes[4096];
  for (std::size_t n = 0; (n = fread(bytes, 1, sizeof bytes, pipe)) > 0;) output.append(bytes, n);
  return pclose(pipe) == 0 ? output : "failed: " + output;
}

std::string written(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + name + std::to_string(getpid());
  std::ofstream(path) << content;
  return path;
}

// What bash offers for the words of a line, the last of which is being typed.
std::string offered(const std::string& words) {
  const std::string script = written("completion.bash", bash_completion(describe_commands()));
  const std::string bash =
      "compopt() { :; }; source " + script + "; COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _assay; echo \"${COMPREPLY[*]}\"";
  const std::string run = written("run.bash", bash);
  std::string output = output_of("bash " + run + " 2>&1");
  (void)std::remove(script.c_str());
  (void)std::remove(run.c_str());
  if (!output.empty()) output.pop_back();
  return output;
}

TEST(Completion, BashOffersCommandsFlagsAndKnownWords) {
  EXPECT_EQ(offered("assay ev"), "eval");
  EXPECT_EQ(offered("assay --broker tcp://x:1 que"), "queues");
  EXPECT_EQ(offered("assay list --st"), "--state");
  EXPECT_EQ(offered("assay list --state can"), "cancelled");
  EXPECT_EQ(offered("assay dead ''"), "list retry drop");
  EXPECT_EQ(offered("assay eval --priority ''"), "");
  EXPECT_THAT(offered("assay eval --"), HasSubstr("--pass-threshold"));
}

TEST(Completion, BashOffersFilesWhereOneIsMeant) {
  const std::string file = written("battery.py", "");
  EXPECT_EQ(offered("assay eval " + file.substr(0, file.size() - 1)), file);
  EXPECT_EQ(offered("assay submit --body " + file.substr(0, file.size() - 1)), file);
  (void)std::remove(file.c_str());
}

TEST(Completion, ZshLoadsItsFunction) {
  const std::string script = written("_assay", zsh_completion(describe_commands()));
  EXPECT_EQ(output_of("zsh -f -c 'autoload -Uz compinit; compinit -u -D; source " + script +
                      "; print $_comps[assay]' 2>&1"),
            "_assay\n");
  (void)std::remove(script.c_str());
}

TEST(Manual, HasEveryCommandAndEveryFlagOnce) {
  const std::string page = manual_page(describe_commands(), "1.2.3");
  EXPECT_THAT(page, HasSubstr(".TH ASSAY 1 \"\" \"assay 1.2.3\""));
  for (const CommandDescription& command : describe_commands()) {
    EXPECT_THAT(page, HasSubstr("assay " + (command.name == "assay" ? "" : command.name)));
  }
  const std::string broker = "\\-\\-broker";
  EXPECT_EQ(page.find(broker), page.rfind(broker));
}

TEST(Manual, NothingThatIsSaidIsTakenForARequest) {
  const std::string page =
      manual_page({{"assay", "a", {}}, {"x", ".so /etc/passwd\n'y \\z", {}}}, "1");
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd\n\\&'y \\ez"));
  EXPECT_THAT(page, Not(HasSubstr("\n.so")));
}

}  // namespace
}  // namespace assay::cli
