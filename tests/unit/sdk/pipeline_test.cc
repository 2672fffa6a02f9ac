// Pipelines: what a file becomes, and what is said of a wrong one. docs/pipelines.md.
#include "assay/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "assay/build.h"
#include "assay/evaluation.h"
#include "sdk/pipeline/input_reference.h"
#include "sdk/pipeline/template_text.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    std::string path = testing::TempDir() + "pipeline-XXXXXX";
    folder_ = mkdtemp(path.data());
    write("a.py", "def test_one():\n    assert True\n");
    options_.run = *TaskId::parse("01M89KF1DSY3R9EYV8FDYYPF5W");
    options_.owner = OwnerName("alice");
  }
  ~PipelineTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
    return (folder_ / name).string();
  }
  Result<Pipeline> load(const std::string& yaml) {
    return load_pipeline(write("p.yaml", yaml), options_);
  }
  // What is wrong with it, without the folder.
  std::string mistakes(const std::string& yaml) {
    const Result<Pipeline> pipeline = load(yaml);
    if (pipeline.is_ok()) return "nothing";
    EXPECT_EQ(pipeline.status().reason(), "invalid_pipeline");
    std::string text = pipeline.status().message();
    const std::string prefix = folder_.string() + "/";
    for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  std::filesystem::path folder_;
  PipelineOptions options_;
};

std::vector<std::string> names(const Pipeline& pipeline) {
  std::vector<std::string> names;
  for (const PipelineTask& task : pipeline.tasks) names.push_back(task.name);
  return names;
}

TEST_F(PipelineTest, AnImageIsBuiltOfAFolderBesideTheFileAndEvaluatedByItsDigest) {
  write("Dockerfile", "FROM scratch\n");
  const auto pipeline = load(
      "name: chain\n"
      "steps:\n"
      "  image: {build: {directory: ., tags: ['r.example/a:v1'], args: {A: '1'}}}\n"
      "  check: {eval: {image: '${steps.image.images.0.pinned}'}, after: [image]}\n");
  ASSERT_TRUE(pipeline.is_ok()) << pipeline.status().message();
  const TaskSpec& image = pipeline->tasks[0].task;
  EXPECT_EQ(image.queue, QueueName("build"));
  EXPECT_EQ(image.labels.at("image"), "r.example/a:v1");
  const Result<BuildRequest> request = decode_build(image.body);
  ASSERT_TRUE(request.is_ok()) << request.status().message();
  EXPECT_FALSE(request->context_archive.empty());
  EXPECT_EQ(request->arguments.at("A"), "1");
  const Result<Evaluation> check = decode_evaluation(pipeline->tasks[1].task.body);
  ASSERT_TRUE(check.is_ok());
  EXPECT_EQ(check->entry, "${inputs." + image.id.text() + ".images.0.pinned}");
}

TEST_F(PipelineTest, ABuildThatCannotBeIsToldBeforeAnythingIsSubmitted) {
  EXPECT_THAT(mistakes("name: chain\n"
                       "steps:\n"
                       "  one: {build: {directory: nowhere, tags: ['r.example/a:v1']}}\n"),
              HasSubstr("p.yaml:3: steps.one.build.directory: cannot read 'nowhere'"));
  EXPECT_THAT(mistakes("name: chain\n"
                       "steps:\n"
                       "  two: {build: {source: {git: 'file:///etc'}, tags: ['-x'], tagz: 1}}\n"),
              testing::AllOf(HasSubstr("git: expected https://"), HasSubstr("tags"),
                             HasSubstr("unknown key 'tagz'")));
}

TEST_F(PipelineTest, StepsBecomeTasksEachBehindThoseItComesAfter) {
  const auto pipeline = load(
      "name: nightly\n"
      "labels: {team: red}\n"
      "steps:\n"
      "  last: {eval: a.py, after: [first], on_failure: run, priority: 9}\n"
      "  first: {task: {queue: shout, body: hello}, require: {gpu: a100}}\n");
  ASSERT_TRUE(pipeline.is_ok()) << pipeline.status().message();
  ASSERT_THAT(names(*pipeline), ElementsAre("first", "last"));
  const TaskSpec& first = pipeline->tasks[0].task;
  const TaskSpec& last = pipeline->tasks[1].task;
  EXPECT_EQ(first.queue, QueueName("shout"));
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(first.owner, OwnerName("alice"));
  EXPECT_THAT(first.require, ElementsAre(testing::Pair("gpu", "a100")));
  EXPECT_EQ(last.queue, QueueName("eval"));
  EXPECT_EQ(last.priority, 9);
  EXPECT_EQ(last.on_failure, OnFailure::kRun);
  EXPECT_THAT(last.after, ElementsAre(first.id));
  EXPECT_EQ(last.labels.at("team"), "red");
  EXPECT_EQ(last.labels.at("pipeline"), "nightly");
  EXPECT_EQ(last.labels.at("run"), options_.run.text());
  EXPECT_EQ(last.labels.at("step"), "last");
  EXPECT_EQ(decode_evaluation(last.body)->files.size(), 1U);
}

TEST_F(PipelineTest, AMatrixMakesATaskForEachCombinationAndWhoWaitsWaitsForAll) {
  const auto pipeline = load(
      "variables: {big: large}\n"
      "steps:\n"
      "  sweep:\n"
      "    matrix: {size: [small, '${big}'], heat: [0, 0.5]}\n"
      "    eval: {file: a.py, profile: '${matrix.size}', arguments: ['--heat=${matrix.heat}']}\n"
      "  summary: {task: {queue: report}, after: [sweep]}\n");
  ASSERT_TRUE(pipeline.is_ok()) << pipeline.status().message();
  ASSERT_THAT(names(*pipeline),
              ElementsAre("sweep[size=small,heat=0]", "sweep[size=small,heat=0.5]",
                          "sweep[size=large,heat=0]", "sweep[size=large,heat=0.5]", "summary"));
  const auto evaluation = decode_evaluation(pipeline->tasks[3].task.body);
  EXPECT_EQ(evaluation->profile, "large");
  EXPECT_THAT(evaluation->arguments, ElementsAre("--heat=0.5"));
  EXPECT_EQ(evaluation->name, "sweep[size=large,heat=0.5]");
  EXPECT_EQ(pipeline->tasks[4].task.after.size(), 4U);
}

TEST_F(PipelineTest, TheSameRunMakesTheSameTasksAndAnotherRunOthers) {
  const std::string yaml = "steps: {a: {eval: a.py}, b: {eval: a.py}}";
  const auto one = load(yaml);
  const auto again = load(yaml);
  options_.run = TaskId::make(Time(Duration(1)));
  const auto other = load(yaml);
  EXPECT_EQ(one->tasks[0].task, again->tasks[0].task);
  EXPECT_NE(one->tasks[0].task.id, one->tasks[1].task.id);
  EXPECT_NE(one->tasks[0].task.id, other->tasks[0].task.id);
}

TEST_F(PipelineTest, AStepMayTakeAValueFromTheResultOfAnother) {
  const auto pipeline = load(
      "steps:\n"
      "  image: {task: {queue: build, body: x}}\n"
      "  eval: {eval: {image: '${steps.image.image.digest}'}}\n");
  ASSERT_TRUE(pipeline.is_ok()) << pipeline.status().message();
  const TaskSpec& task = pipeline->tasks[1].task;
  ASSERT_THAT(task.after, ElementsAre(pipeline->tasks[0].task.id));  // said by the reference alone
  std::string entry = decode_evaluation(task.body)->entry;
  const TaskInput input{task.after[0], TaskState::kSucceeded, R"({"image":{"digest":"sha256:9"}})"};
  ASSERT_TRUE(pipeline::resolve_inputs(entry, {input}).is_ok());
  EXPECT_EQ(entry, "sha256:9");
}

TEST_F(PipelineTest, VariablesThatAreSetReplaceTheFilesAndMustExist) {
  options_.variables = {{"who", "you"}};
  EXPECT_EQ(load("variables: {who: me}\nsteps: {a: {task: {queue: q, body: '${who}'}}}")
                ->tasks[0]
                .task.body,
            "you");
  EXPECT_EQ(mistakes("variables: {whom: me}\nsteps: {a: {eval: a.py}}"),
            "p.yaml:1: there is no variable 'who' to set; there are whom");
}

TEST_F(PipelineTest, EveryMistakeIsToldWithItsLine) {
  EXPECT_EQ(mistakes("steps:\n"
                     "  a: {eval: a.py, after: [nobody]}\n"
                     "  'b c': {eval: a.py}\n"
                     "  d: 7\n"
                     "step: 1\n"),
            "p.yaml:2: steps.a comes after 'nobody', which is no step\n"
            "p.yaml:3: 'b c' is no name for a step: expected 1 to 64 of letters, digits, '.', "
            "'_', '-'\n"
            "p.yaml:4: steps.d: expected a map\n"
            "p.yaml:5: unknown key 'step'; did you mean 'steps'? known keys here: labels, name, "
            "owner, priority, steps, variables");
}

TEST_F(PipelineTest, ACircleIsNamed) {
  EXPECT_EQ(mistakes("steps:\n"
                     "  a: {eval: a.py, after: [b]}\n"
                     "  b: {eval: {image: '${steps.a.digest}'}}\n"),
            "p.yaml:2: steps wait for each other in a circle: 'a' after 'b' after 'a'");
}

TEST_F(PipelineTest, AStepIsOfOneKind) {
  EXPECT_THAT(mistakes("steps:\n  a: {priority: 1}\n"), HasSubstr("found none"));
  EXPECT_THAT(mistakes("steps:\n  a: {eval: a.py, task: {queue: q}}\n"),
              HasSubstr("found eval, task"));
}

TEST_F(PipelineTest, WhatIsNotThereIsRefused) {
  EXPECT_THAT(mistakes("steps: {a: {eval: nothing.py}}"), HasSubstr("nothing.py"));
  EXPECT_THAT(mistakes("steps: {a: {task: {queue: q, body: '${nope}'}}}"),
              HasSubstr("there is no variable 'nope'; the pipeline declares none"));
  EXPECT_THAT(mistakes("steps: {a: {task: {queue: q, body: '${matrix.x}'}}}"),
              HasSubstr("the step's matrix has no such key"));
  EXPECT_THAT(mistakes("steps:\n"
                       "  a: {eval: a.py, matrix: {x: [1, 2]}}\n"
                       "  b: {task: {queue: q, body: '${steps.a.score}'}}\n"),
              HasSubstr("step 'a' is several tasks"));
  EXPECT_EQ(load_pipeline((folder_ / "gone.yaml").string(), options_).status().reason(),
            "unreadable_file");
}

TEST_F(PipelineTest, AMatrixIsBoundedAndPlain) {
  EXPECT_THAT(mistakes("steps: {a: {eval: a.py, matrix: {x: []}}}"),
              HasSubstr("expected a list with at least one value"));
  EXPECT_THAT(mistakes("steps: {a: {eval: a.py, matrix: {x: [1, 1]}}}"),
              HasSubstr("stands there twice"));
  std::string many = "steps: {a: {eval: a.py, matrix: {";
  for (const char* key : {"x", "y", "z"}) {
    many += std::string(key) + ": [";
    for (int i = 0; i < 30; ++i) many += std::to_string(i) + ",";
    many += "], ";
  }
  EXPECT_THAT(mistakes(many + "}}}"), HasSubstr("expected at most 10000 combinations"));
}

TEST(TemplateText, FillsInNamesOnceAndKeepsWhatIsEscaped) {
  const pipeline::Lookup lookup = [](std::string_view name) -> Result<std::string> {
    return "<" + std::string(name) + "${x}>";
  };
  EXPECT_EQ(*pipeline::fill_in("a ${b} $${c} $d ${}", lookup), "a <b${x}> ${c} $d <${x}>");
  EXPECT_EQ(pipeline::fill_in("${b", lookup).status().reason(), "invalid_template");
}

TEST(InputReference, LeadsIntoJsonByKeysAndNumbers) {
  const TaskId id = TaskId::make(Time(Duration(1)));
  const std::vector<TaskInput> inputs{
      {id, TaskState::kFailed, R"({"a":[{"b":1.5},true],"c":{"d":null},"e":"${inputs.x.y}"})"}};
  const auto filled = [&](const std::string& path) {
    std::string text = "<" + pipeline::input_reference(id, path) + ">";
    const Status status = pipeline::resolve_inputs(text, inputs);
    return status.is_ok() ? text : status.message();
  };
  EXPECT_EQ(filled("a.0.b"), "<1.5>");
  EXPECT_EQ(filled("a.1"), "<true>");
  EXPECT_EQ(filled("e"), "<${inputs.x.y}>");  // what came in is not looked at again
  EXPECT_THAT(filled("a.2"), HasSubstr("its result has no '2' there"));
  EXPECT_THAT(filled("c.d"), HasSubstr("expected a text, number or truth value"));
  EXPECT_THAT(filled("z"), HasSubstr("that task failed, and its result has no 'z' there"));
}

TEST(InputReference, AForeignTaskAndAResultThatIsNoDocumentAreRefused) {
  const TaskId id = TaskId::make(Time(Duration(1)));
  std::string text = pipeline::input_reference(id, "a");
  EXPECT_THAT(pipeline::resolve_inputs(text, {}).message(), HasSubstr("does not come after"));
  EXPECT_THAT(pipeline::resolve_inputs(text, {{id, TaskState::kDead, "no json"}}).message(),
              HasSubstr("is no JSON document"));
  text = "${other} ${inputs.unfinished";
  EXPECT_TRUE(pipeline::resolve_inputs(text, {}).is_ok());
  EXPECT_EQ(text, "${other} ${inputs.unfinished");
}

}  // namespace
}  // namespace assay
