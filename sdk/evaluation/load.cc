// load_evaluation: from a file on disk, with all that it refers to.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/evaluation.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/evaluation/config_document.h"
#include "sdk/evaluation/evaluation_path.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using evaluation::folder_of;
using evaluation::join_path;
using nlohmann::json;

Status unreadable(const std::string& message) {
  return fix_input("unreadable_file", message);
}
Status invalid(const std::string& message) {
  return fix_input("invalid_evaluation", message);
}

// Reads a file of the evaluation's folder; `kNotFound` when there is none.
Result<std::string> read_beside(const fs::path& folder, const std::string& path) {
  const fs::path full = folder / path;
  std::error_code error;
  if (!fs::exists(full, error)) {
    return not_found("unreadable_file", "there is no file " + full.string());
  }
  return config::read_file(full.string(), evaluation::kFileBytesMax);
}

// The files that an evaluation takes along: each once, in the order they were found.
class Luggage {
 public:
  Luggage(fs::path folder, Evaluation& out) : folder_(std::move(folder)), out_(out) {}

  // Quietly passes over what is not there.
  void add_if_there(const std::string& path) {
    std::error_code error;
    if (fs::is_regular_file(folder_ / path, error)) (void)add(path).is_ok();
  }
  // A grader, with all that lies beside it in a folder of its own.
  Status add_grader(const std::string& path) {
    const std::string beside = folder_of(path);
    std::error_code error;
    if (!beside.empty()) {
      for (const auto& entry : fs::recursive_directory_iterator(folder_ / beside, error)) {
        if (!entry.is_regular_file(error)) continue;
        const Status status = add(fs::relative(entry.path(), folder_, error).generic_string());
        if (!status.is_ok()) return status;
      }
    }
    return add(path);
  }
  Status add(const std::string& path) {
    if (has(path)) return Status::ok();
    Result<std::string> content = read_beside(folder_, path);
    if (!content.is_ok()) return unreadable(content.status().message());
    add(path, std::move(content).value());
    return Status::ok();
  }
  void add(const std::string& path, std::string content) {
    if (!seen_.insert(path).second) return;
    const bool script = path.ends_with(".py");
    out_.files.push_back({path, std::move(content)});
    if (script) add_imports(path, std::string(out_.files.back().content));
  }

 private:
  bool has(const std::string& path) const { return seen_.contains(path); }

  // Modules that lie beside a script and that it imports. A guess by its lines: to know for sure it
  // would have to be run. A file too many does no harm.
  void add_imports(const std::string& path, const std::string& content) {
    for (std::size_t begin = 0; begin < content.size();) {
      const std::size_t end = std::min(content.find('\n', begin), content.size());
      std::string_view line = std::string_view(content).substr(begin, end - begin);
      begin = end + 1;
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      const bool import = line.starts_with("import ");
      if (!import && !line.starts_with("from ")) continue;
      line.remove_prefix(import ? 7 : 5);
      add_modules(path, import ? line : line.substr(0, line.find(' ')));
    }
  }
  void add_modules(const std::string& path, std::string_view names) {
    while (!names.empty()) {
      const std::size_t end = std::min(names.find(','), names.size());
      std::string_view name = names.substr(0, end);
      names.remove_prefix(std::min(end + 1, names.size()));
      name.remove_prefix(std::min(name.find_first_not_of(" \t."), name.size()));
      name = name.substr(0, name.find_first_of(" \t.;#\r"));
      if (name.empty() || !evaluation::path_problem(name).empty()) continue;
      add_module(folder_of(path), std::string(name));
      if (!folder_of(path).empty()) add_module("", std::string(name));
    }
  }
  void add_module(const std::string& folder, const std::string& name) {
    add_if_there(join_path(folder, name + ".py"));
    const std::string package = join_path(folder, name);
    std::error_code error;
    if (!fs::is_regular_file(folder_ / package / "__init__.py", error)) return;
    fs::recursive_directory_iterator entries(folder_ / package, error);
    for (const auto& entry : entries) {
      if (out_.files.size() > evaluation::kFileCountMax) return;
      if (entry.path().extension() == ".py" && entry.is_regular_file(error)) {
        add_if_there(fs::relative(entry.path(), folder_, error).generic_string());
      }
    }
  }

  fs::path folder_;
  Evaluation& out_;
  std::set<std::string> seen_;
};

// The YAML of a `# /// assay` block, with as many lines before it as the script has, so that its
// mistakes are found in the script. Nothing when there is no block.
Result<std::string> settings_block(const std::string& script, const std::string& file) {
  std::string out;
  int number = 0;
  int opened = 0;
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t end = std::min(script.find('\n', begin), script.size());
    std::string line = script.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (opened == 0) {
      if (line == "# /// assay") opened = number;
      out += '\n';
    } else if (line == "# ///") {
      return out;
    } else if (line == "#" || line.starts_with("# ")) {
      out += line.size() > 2 ? line.substr(2) + "\n" : "\n";
    } else {
      return invalid(file + ":" + std::to_string(number) +
                     ": the block that begins with `# /// assay` in line " +
                     std::to_string(opened) + " should end with a line `# ///`");
    }
  }
  if (opened > 0) {
    return invalid(file + ":" + std::to_string(opened) +
                   ": the block that begins here should end with a line `# ///`");
  }
  return std::string();
}

Status load_script(const std::string& content, const std::string& path, Luggage& luggage,
                   Evaluation& out) {
  Result<std::string> block = settings_block(content, path);
  if (!block.is_ok()) return block.status();
  std::vector<std::string> files;
  if (!block->empty()) {
    const Status status = evaluation::read_settings_block(*block, path, out, files);
    if (!status.is_ok()) return status;
  }
  for (const std::string& file : files) {
    const Status status = luggage.add(join_path("", file));
    if (!status.is_ok()) return status;
  }
  if (!out.grader.empty()) {
    const Status status = luggage.add_grader(out.grader);
    if (!status.is_ok()) return status;
  }
  // Names that the runner looks for by itself.
  for (const char* name : {"my_test_suite.jsonl", "my_test_suite.json"}) luggage.add_if_there(name);
  return Status::ok();
}

Status load_notebook(const std::string& content, const std::string& path, Luggage& luggage) {
  const json notebook = json::parse(content, nullptr, false);
  if (notebook.is_discarded()) return invalid(path + ": expected a notebook, found no valid JSON");
  const auto cells = notebook.is_object() ? notebook.find("cells") : notebook.end();
  if (!notebook.is_object() || cells == notebook.end() || !cells->is_array()) {
    return invalid(path +
                   ": expected a Jupyter notebook (format 4, with \"cells\"), found other JSON");
  }
  const bool format = notebook.contains("nbformat") && notebook["nbformat"].is_number_integer() &&
                      notebook["nbformat"].get<std::int64_t>() == 4;
  if (!format) return invalid(path + ": expected a notebook of format 4 (\"nbformat\": 4)");
  std::size_t number = 0;
  for (const json& cell : *cells) {
    ++number;
    const bool good = cell.is_object() && cell.contains("cell_type") && cell.contains("source") &&
                      (cell["source"].is_string() || cell["source"].is_array());
    if (!good) {
      return invalid(path + ": cell " + std::to_string(number) +
                     ": expected \"cell_type\" and \"source\"");
    }
  }
  for (const char* name : {"my_test_suite.jsonl", "my_test_suite.json"}) luggage.add_if_there(name);
  return Status::ok();
}

Status load_config(const std::string& content, const std::string& path, const fs::path& folder,
                   Luggage& luggage, Evaluation& out) {
  evaluation::ConfigSource source;
  source.read = [&](const std::string& name) { return read_beside(folder, name); };
  auto config = evaluation::read_config_evaluation(content, path, source);
  if (!config.is_ok()) return config.status();
  std::vector<EvaluationFile> entry = std::move(out.files);
  const EvaluationKind kind = out.kind;
  const std::string entry_path = out.entry;
  out = std::move(config->settings);
  out.kind = kind;
  out.entry = entry_path;
  out.files = std::move(entry);
  for (EvaluationFile& file : config->files) luggage.add(file.path, std::move(file.content));
  return out.grader.empty() ? Status::ok() : luggage.add_grader(out.grader);
}

}  // namespace

Result<Evaluation> load_evaluation(const std::string& path) {
  const fs::path file(path);
  const std::string extension = file.extension().string();
  Evaluation out;
  if (extension == ".py") {
    out.kind = EvaluationKind::kScript;
  } else if (extension == ".ipynb") {
    out.kind = EvaluationKind::kNotebook;
  } else if (extension == ".yaml" || extension == ".yml") {
    out.kind = EvaluationKind::kConfig;
  } else {
    return invalid(path + ": expected a .py, .ipynb, .yaml or .yml file");
  }
  Result<std::string> content = config::read_file(path, evaluation::kFileBytesMax);
  if (!content.is_ok()) return unreadable(content.status().message());
  out.entry = file.filename().string();
  out.name = file.stem().string();
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  Luggage luggage(folder, out);
  luggage.add(out.entry, *content);
  Status status;
  if (out.kind == EvaluationKind::kScript) status = load_script(*content, path, luggage, out);
  if (out.kind == EvaluationKind::kNotebook) status = load_notebook(*content, path, luggage);
  if (out.kind == EvaluationKind::kConfig) {
    status = load_config(*content, path, folder, luggage, out);
  }
  if (!status.is_ok()) return status;
  const std::string problem = evaluation::files_problem(out.files);
  if (!problem.empty()) return invalid(path + ": " + problem);
  return out;
}

}  // namespace assay
