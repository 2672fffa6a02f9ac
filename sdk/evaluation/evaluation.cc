// An evaluation as bytes and back. The keys of the map are the members' names; `version` is 1. A
// key that this version does not know is passed over; what is missing has its initial value.
#include "assay/evaluation.h"

#include <algorithm>
#include <cmath>
#include <msgpack.hpp>

#include "sdk/evaluation/evaluation_path.h"
#include "sdk/wire/reader.h"

namespace assay {
namespace {

using evaluation::kFileBytesMax;
using evaluation::kFileCountMax;
using evaluation::kListItemsMax;
using evaluation::kPathBytesMax;
using evaluation::kTextBytesMax;
using wire::Reader;

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kTimeoutMsMax = 366ULL * 24 * 3600 * 1000;

void pack(msgpack::packer<msgpack::sbuffer>& out, std::string_view key,
          const std::vector<std::string>& values) {
  out.pack(key);
  out.pack_array(static_cast<std::uint32_t>(values.size()));
  for (const std::string& value : values) out.pack(value);
}

void pack_files(msgpack::packer<msgpack::sbuffer>& out, const std::vector<EvaluationFile>& files) {
  out.pack("files");
  out.pack_array(static_cast<std::uint32_t>(files.size()));
  for (const EvaluationFile& file : files) {
    out.pack_map(2);
    out.pack("path");
    out.pack(file.path);
    out.pack("content");
    out.pack_bin(static_cast<std::uint32_t>(file.content.size()));
    out.pack_bin_body(file.content.data(), static_cast<std::uint32_t>(file.content.size()));
  }
}

bool read_text(Reader& reader, std::size_t bytes_max, std::string& value) {
  std::string_view view;
  if (!reader.read_text(bytes_max, view)) return false;
  value = view;
  return true;
}

bool read_texts(Reader& reader, std::vector<std::string>& values) {
  std::size_t count = 0;
  if (!reader.read_list_size(kListItemsMax, count)) return false;
  values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_text(reader, kTextBytesMax, values[i])) return reader.inside_item(i);
  }
  return true;
}

bool read_duration(Reader& reader, Duration& value) {
  std::uint64_t milliseconds = 0;
  if (!reader.read_unsigned(kTimeoutMsMax, milliseconds)) return false;
  if (milliseconds == 0) return reader.refuse("at least 1 ms");
  value = Duration(static_cast<Duration::rep>(milliseconds));
  return true;
}

bool read_number(Reader& reader, std::optional<double>& value) {
  double number = 0;
  if (reader.take_nil()) return true;
  if (!reader.read_double(number)) return false;
  if (!std::isfinite(number)) return reader.refuse("a finite number");
  value = number;
  return true;
}

template <typename T>
bool read_count(Reader& reader, std::uint64_t at_most, T& value) {
  std::uint64_t number = 0;
  if (!reader.read_unsigned(at_most, number)) return false;
  value = static_cast<T>(number);
  return true;
}

bool read_file(Reader& reader, EvaluationFile& file) {
  std::size_t keys = 0;
  if (!reader.read_map_size(keys)) return false;
  for (std::size_t i = 0; i < keys; ++i) {
    std::string_view key;
    if (!reader.read_text(kTextBytesMax, key)) return false;
    bool good = true;
    std::string_view content;
    if (key == "path") {
      good = read_text(reader, kPathBytesMax, file.path);
    } else if (key == "content") {
      good = reader.read_bytes(kFileBytesMax, content);
      file.content = content;
    } else {
      good = reader.skip();
    }
    if (!good) return reader.inside_field(key);
  }
  return true;
}

bool read_files(Reader& reader, std::vector<EvaluationFile>& files) {
  std::size_t count = 0;
  if (!reader.read_list_size(kFileCountMax, count)) return false;
  files.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_file(reader, files[i])) return reader.inside_item(i);
  }
  return true;
}

bool read_what(Reader& reader, std::string_view key, Evaluation& out) {
  if (key == "kind") return read_count(reader, 3, out.kind);
  if (key == "name") return read_text(reader, kTextBytesMax, out.name);
  if (key == "entry") return read_text(reader, kTextBytesMax, out.entry);
  if (key == "files") return read_files(reader, out.files);
  if (key == "arguments") return read_texts(reader, out.arguments);
  if (key == "outputs") return read_texts(reader, out.outputs);
  if (key == "grader") return read_text(reader, kPathBytesMax, out.grader);
  if (key == "profile") return read_text(reader, kTextBytesMax, out.profile);
  if (key == "endpoint") return read_text(reader, kTextBytesMax, out.endpoint);
  if (key == "model") return read_text(reader, kTextBytesMax, out.model);
  if (key == "timeout_ms") return read_duration(reader, out.timeout);
  if (key == "test_timeout_ms") return read_duration(reader, out.test_timeout);
  if (key == "seconds_per_test") return read_number(reader, out.seconds_per_test);
  if (key == "pass_threshold") return read_number(reader, out.pass_threshold);
  if (key == "danger") return read_count(reader, 10, out.danger);
  if (key == "isolated") return reader.read_bool(out.isolated);
  if (key == "pods_max") return read_count(reader, 100'000, out.pods_max);
  if (key == "tests") {
    if (reader.take_nil()) return true;
    return read_count(reader, 10'000'000, out.tests.emplace());
  }
  return reader.skip();
}

bool read_evaluation(Reader& reader, Evaluation& out) {
  std::size_t keys = 0;
  if (!reader.read_map_size(keys)) return false;
  bool versioned = false;
  for (std::size_t i = 0; i < keys; ++i) {
    std::string_view key;
    if (!reader.read_text(kTextBytesMax, key)) return false;
    if (key == "version") {
      std::uint64_t version = 0;
      if (!reader.read_unsigned(~0ULL, version)) return reader.inside_field(key);
      if (version != kVersion) return reader.refuse("version 1") || reader.inside_field(key);
      versioned = true;
    } else if (!read_what(reader, key, out)) {
      return reader.inside_field(key);
    }
  }
  if (!versioned) return reader.refuse_because("version: expected 1, found nothing");
  return reader.at_end() || reader.refuse_because("there is something after its end");
}

std::string problem_of(const Evaluation& out) {
  if (const std::string problem = evaluation::files_problem(out.files); !problem.empty()) {
    return problem;
  }
  if (out.entry.empty()) return "entry: expected what to run, found nothing";
  const bool image = out.kind == EvaluationKind::kImage;
  bool found = image;
  for (const EvaluationFile& file : out.files) found = found || file.path == out.entry;
  if (!found) return "entry: " + out.entry + " is not among its files";
  const auto grades = [&](const EvaluationFile& file) { return file.path == out.grader; };
  if (!out.grader.empty() && std::none_of(out.files.begin(), out.files.end(), grades)) {
    return "grader: " + out.grader + " is not among its files";
  }
  if (!out.grader.empty() && (out.grader == out.entry || !out.grader.ends_with(".py"))) {
    return "grader: expected a Python file other than the entry, found " + out.grader;
  }
  if (out.seconds_per_test && *out.seconds_per_test < 0) return "seconds_per_test: less than 0";
  for (const std::string& path : out.outputs) {
    const std::string problem = evaluation::path_problem(path);
    if (!problem.empty()) return "outputs: \"" + path + "\": " + problem;
  }
  return {};
}

}  // namespace

std::string_view to_string(EvaluationKind kind) {
  switch (kind) {
    case EvaluationKind::kScript:
      return "script";
    case EvaluationKind::kNotebook:
      return "notebook";
    case EvaluationKind::kConfig:
      return "config";
    case EvaluationKind::kImage:
      return "image";
  }
  return "unknown";
}

std::string encode_evaluation(const Evaluation& in) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> out(buffer);
  const bool optionals[] = {in.tests.has_value(), in.seconds_per_test.has_value(),
                            in.pass_threshold.has_value(), !in.grader.empty()};
  out.pack_map(15U + optionals[0] + optionals[1] + optionals[2] + optionals[3]);
  const auto add = [&](const char* key, const auto& value) {
    out.pack(key);
    out.pack(value);
  };
  add("version", kVersion);
  add("kind", static_cast<std::uint64_t>(in.kind));
  add("name", in.name);
  add("entry", in.entry);
  pack_files(out, in.files);
  pack(out, "arguments", in.arguments);
  add("timeout_ms", in.timeout.count());
  add("test_timeout_ms", in.test_timeout.count());
  if (in.tests) add("tests", *in.tests);
  if (in.seconds_per_test) add("seconds_per_test", *in.seconds_per_test);
  add("danger", static_cast<std::uint64_t>(in.danger));
  add("isolated", in.isolated);
  add("pods_max", in.pods_max);
  add("profile", in.profile);
  add("endpoint", in.endpoint);
  add("model", in.model);
  if (in.pass_threshold) add("pass_threshold", *in.pass_threshold);
  pack(out, "outputs", in.outputs);
  if (!in.grader.empty()) add("grader", in.grader);
  return {buffer.data(), buffer.size()};
}

Result<Evaluation> decode_evaluation(std::string_view bytes) {
  Evaluation out;
  Reader reader(bytes);
  if (!read_evaluation(reader, out)) {
    return fix_input("invalid_evaluation", "this is not an evaluation: " + reader.mistake());
  }
  if (const std::string problem = problem_of(out); !problem.empty()) {
    return fix_input("invalid_evaluation", problem);
  }
  return out;
}

}  // namespace assay
