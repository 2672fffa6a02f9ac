#include "broker/net/schedule_settings.h"

#include "broker/core/limits.h"
#include "broker/net/zone.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/wire/limits.h"

namespace assay::net {
namespace {

const std::string kNameRule = "expected 1 to 64 of letters, digits, '.', '_', '-'";

void read_name(config::Map& map, const std::string& key, std::string& name) {
  map.text(key, name);
  if (!name.empty() && !valid_name(name)) map.mistake(key, kNameRule + ", found '" + name + "'");
}

void read_body(config::Map& map, std::string& body) {
  std::string file;
  map.text("body", body);
  map.text("body_file", file);
  if (map.has("body") && map.has("body_file"))
    map.mistake("expected either body or body_file, found both");
  if (!file.empty()) {
    auto text = config::read_file(file, wire::kBodyBytesMax);
    if (text.is_ok()) {
      body = std::move(*text);
    } else {
      map.mistake("body_file", text.status().message());
    }
  }
  if (body.size() > wire::kBodyBytesMax) {
    map.mistake("the body has " + std::to_string(body.size()) + " bytes, the limit is " +
                std::to_string(wire::kBodyBytesMax));
  }
}

void read_labels(config::Map& map, TaskSpec& task) {
  map.texts("labels", task.labels);
  map.texts("require", task.require);
  for (const auto* labels : {&task.labels, &task.require}) {
    if (labels->size() >= wire::kLabelCountMax)
      map.mistake("expected fewer than " + std::to_string(wire::kLabelCountMax) + " labels");
    for (const auto& [label, value] : *labels) {
      if (label.empty() || label.size() > wire::kLabelKeyBytesMax ||
          value.size() > wire::kLabelValueBytesMax)
        map.mistake("the label '" + label.substr(0, 80) + "' is empty or too long");
    }
  }
}

}  // namespace

void read_schedules(config::Map& file, std::map<std::string, core::Schedule>& schedules, Time now) {
  schedules.clear();
  file.named("schedules", [&](const std::string& name, config::Map& map) {
    core::Schedule schedule;
    TaskSpec& task = schedule.task;
    if (!valid_name(name)) map.mistake("'" + name.substr(0, 80) + "' is no name: " + kNameRule);
    map.require("cron");
    map.text("cron", schedule.line);
    auto cron = core::Cron::parse(schedule.line);
    if (cron.is_ok()) {
      schedule.cron = *cron;
    } else if (map.has("cron")) {
      map.mistake("cron", cron.status().message());
    }
    map.text("timezone", schedule.zone);
    auto offsets = zone_offsets(schedule.zone, now);
    if (offsets.is_ok()) {
      schedule.offsets = std::move(*offsets);
    } else {
      map.mistake("timezone", offsets.status().message());
    }
    map.require("queue");
    map.require("owner");
    read_name(map, "queue", task.queue.value);
    read_name(map, "owner", task.owner.value);
    map.integer("priority", task.priority, {0, core::kPriorityMax});
    map.integer("max_attempts", task.max_attempts, {1, 100});
    map.integer("cost", task.cost, {1, core::kCostMax});
    map.duration("timeout", task.timeout, {Duration(0), std::chrono::hours(24 * 365)});
    read_body(map, task.body);
    read_labels(map, task);
    schedules[name] = std::move(schedule);
  });
  if (schedules.size() > core::kScheduleCountMax) {
    file.mistake("schedules: expected at most " + std::to_string(core::kScheduleCountMax) +
                 ", found " + std::to_string(schedules.size()));
  }
}

}  // namespace assay::net
