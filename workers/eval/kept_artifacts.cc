#include "workers/eval/kept_artifacts.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "sdk/log/structured_log.h"
#include "sdk/wire/base64.h"

namespace assay::eval {
namespace {

using nlohmann::json;

class Keeper {
 public:
  Keeper(ArtifactStore& store, const TaskId& task, json& document)
      : store_(store), task_(task), document_(document) {}

  void keep(const std::string& name, std::string_view content) {
    const Result<ArtifactInfo> info = put_text(store_, content);
    Status status = info.status();
    if (status.is_ok()) status = store_.set_name({task_, name}, info->hash);
    if (!status.is_ok()) {
      log::warn("artifact_not_kept",
                {{"task", task_.text()}, {"name", name}, {"reason", status.message()}});
      document_["notes"].push_back("not kept as an artifact: " + name + " (" + status.reason() +
                                   ")");
      return;
    }
    kept_.push_back({{"name", name}, {"sha256", info->hash.text()}, {"bytes", info->bytes}});
  }

  json take() { return std::move(kept_); }

 private:
  ArtifactStore& store_;
  TaskId task_;
  json& document_;
  json kept_ = json::array();
};

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void keep_outputs(Keeper& keeper, const json& outputs) {
  std::set<std::uint64_t> pods;
  for (const json& output : outputs) pods.insert(output["pod"].get<std::uint64_t>());
  for (const json& output : outputs) {
    if (!output["content_base64"].is_string()) continue;  // the document says that it was too much
    const auto content =
        wire::decode_base64(output["content_base64"].get_ref<const std::string&>());
    if (!content) continue;
    const std::string folder =
        pods.size() > 1 ? "pod-" + std::to_string(output["pod"].get<std::uint64_t>()) + "/" : "";
    keeper.keep("outputs/" + folder + output["path"].get<std::string>(), *content);
  }
}

}  // namespace

std::string keep_artifacts(ArtifactStore& store, const TaskId& task, std::string text) {
  json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return text;
  Keeper keeper(store, task, document);
  const json outputs = document["outputs"];
  const std::string log = document.value("log", "");
  if (!log.empty()) keeper.keep("log.txt", log);
  keep_outputs(keeper, outputs);
  document["artifacts"] = keeper.take();
  text = dump(document);
  keeper.keep("result.json", text);
  return text;
}

}  // namespace assay::eval
