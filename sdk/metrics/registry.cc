#include "sdk/metrics/registry.h"

#include <cmath>
#include <cstdint>
#include <cstdio>

namespace assay::metrics {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// a="1",b="2"
std::string labels_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(name).append("=\"").append(escaped(value)) += '"';
  }
  return out;
}

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

std::string line(const std::string& name, const std::string& labels, const std::string& value) {
  return name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
}

}  // namespace

void Registry::describe(const std::string& name, Family family) {
  const std::lock_guard lock(mutex_);
  if (families_.contains(name)) return;  // described twice: what was counted stays
  // A family without labels is there from the start, so that its rate can be asked for at once.
  if (family.kind == Kind::kHistogram) {
    family.series[""].buckets.resize(family.bounds.size());
  }
  families_[name] = std::move(family);
}

void Registry::counter(const std::string& name, const std::string& help) {
  describe(name, {Kind::kCounter, help, {}, {}});
}
void Registry::gauge(const std::string& name, const std::string& help) {
  describe(name, {Kind::kGauge, help, {}, {}});
}
void Registry::histogram(const std::string& name, const std::string& help,
                         std::vector<double> bounds) {
  describe(name, {Kind::kHistogram, help, std::move(bounds), {}});
}

void Registry::before_text(std::function<void(Registry&)> refresh) {
  const std::lock_guard lock(mutex_);
  refreshers_.push_back(std::move(refresh));
}

Registry::Series* Registry::find(const std::string& name, const Labels& labels) {
  const auto family = families_.find(name);
  if (family == families_.end()) return nullptr;
  std::string key = labels_text(labels);
  auto& all = family->second.series;
  if (all.size() >= kSeriesMax && !all.contains(key)) key = "other=\"other\"";
  Series& out = all[key];
  if (out.buckets.empty()) out.buckets.resize(family->second.bounds.size());
  return &out;
}

void Registry::add(const std::string& name, const Labels& labels, double amount) {
  const std::lock_guard lock(mutex_);
  if (Series* one = find(name, labels)) one->value += amount;
}

void Registry::set(const std::string& name, const Labels& labels, double value) {
  const std::lock_guard lock(mutex_);
  if (Series* one = find(name, labels)) one->value = value;
}

void Registry::observe(const std::string& name, double value, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series* one = find(name, labels);
  if (one == nullptr) return;
  one->value += value;
  ++one->count;
  const auto& bounds = families_.at(name).bounds;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (value <= bounds[i]) ++one->buckets[i];
  }
}

double Registry::value(const std::string& name, const Labels& labels) const {
  const std::lock_guard lock(mutex_);
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  const auto one = family->second.series.find(labels_text(labels));
  return one == family->second.series.end() ? 0 : one->second.value;
}

std::string Registry::text() {
  std::vector<std::function<void(Registry&)>> refreshers;
  {
    const std::lock_guard lock(mutex_);
    refreshers = refreshers_;
  }
  for (const auto& refresh : refreshers) refresh(*this);
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    const char* const kinds[] = {"counter", "gauge", "histogram"};
    out += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " +
           kinds[static_cast<int>(family.kind)] + "\n";
    for (const auto& [labels, one] : family.series) {
      if (family.kind != Kind::kHistogram) {
        out += line(name, labels, number(one.value));
        continue;
      }
      const std::string before = labels.empty() ? "" : labels + ",";
      for (std::size_t i = 0; i < family.bounds.size(); ++i) {
        out += line(name + "_bucket", before + "le=\"" + number(family.bounds[i]) + "\"",
                    std::to_string(one.buckets[i]));
      }
      out += line(name + "_bucket", before + "le=\"+Inf\"", std::to_string(one.count));
      out += line(name + "_sum", labels, number(one.value));
      out += line(name + "_count", labels, std::to_string(one.count));
    }
  }
  return out;
}

}  // namespace assay::metrics
