#include "workers/report/html/plots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "workers/report/html/escape.h"

namespace assay::report {
namespace {

constexpr std::size_t kBins = 24;

std::string px(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", std::isfinite(value) ? value : 0);
  return text.data();
}

std::string rect(const std::string& css, double x, double y, double width, double height) {
  return "<rect class=\"" + css + "\" x=\"" + px(x) + "\" y=\"" + px(y) + "\" width=\"" +
         px(width) + "\" height=\"" + px(height) + "\"";
}

// The values' place between the first and the last, 0 to 1.
class Scale {
 public:
  Scale(double low, double high, Axis axis) : axis_(axis) {
    if (axis == Axis::kLogarithmic) {
      low = std::log(std::max(low, 1e-4));
      high = std::log(std::max(high, 1e-4));
    }
    low_ = low;
    width_ = high > low ? high - low : 1;
  }
  double place(double value) const {
    if (axis_ == Axis::kLogarithmic) value = std::log(std::max(value, 1e-4));
    return std::clamp((value - low_) / width_, 0.0, 1.0);
  }
  double value(double place) const {
    const double at = low_ + place * width_;
    return axis_ == Axis::kLogarithmic ? std::exp(at) : at;
  }

 private:
  Axis axis_;
  double low_ = 0;
  double width_ = 1;
};

}  // namespace

std::string outcome_bar(const std::map<std::string, std::uint64_t>& outcomes) {
  std::uint64_t total = 0;
  std::string words;
  for (const auto& [outcome, count] : outcomes) {
    total += count;
    if (count > 0) words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + outcome;
  }
  std::string out =
      "<svg class=\"bar\" viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"" +
      html(words.empty() ? "no tests" : words) + "\">";
  double x = 0;
  for (const char* outcome : kBarOrder) {
    const auto found = outcomes.find(outcome);
    if (found == outcomes.end() || found->second == 0) continue;
    // What is there can be seen, however little it is of the whole.
    const double width =
        std::max(3.0, 1000.0 * static_cast<double>(found->second) / static_cast<double>(total));
    out += rect(std::string("f-") + outcome, x, 0, width, 12) + "><title>" +
           std::to_string(found->second) + " " + outcome + "</title></rect>";
    x += width;
  }
  return out + "</svg>";
}

std::string histogram(const std::vector<double>& sorted, Axis axis, const std::string& title,
                      std::string (*unit)(double)) {
  if (sorted.empty()) return "";
  const double low = sorted.front();
  const double high = sorted.back();
  const Scale scale(low, high, axis);
  std::array<std::size_t, kBins> bins{};
  for (const double value : sorted) {
    ++bins[std::min(kBins - 1, static_cast<std::size_t>(scale.place(value) * kBins))];
  }
  const auto most = static_cast<double>(*std::max_element(bins.begin(), bins.end()));
  std::string out = "<figure><figcaption>" + html(title) +
                    "</figcaption><svg viewBox=\"0 0 480 170\" role=\"img\" aria-label=\"" +
                    html(title) + ": " + html(unit(low)) + " to " + html(unit(high)) + "\">";
  out += "<line class=\"axis\" x1=\"0\" y1=\"140\" x2=\"480\" y2=\"140\"/>";
  for (std::size_t i = 0; i < kBins; ++i) {
    if (bins[i] == 0) continue;
    const double height = std::max(2.0, 125 * static_cast<double>(bins[i]) / most);
    const double from = scale.value(static_cast<double>(i) / kBins);
    const double to = scale.value(static_cast<double>(i + 1) / kBins);
    out += rect("bin", static_cast<double>(i) * 20 + 1, 140 - height, 18, height) +
           " rx=\"2\"><title>" + std::to_string(bins[i]) + " from " + html(unit(from)) + " to " +
           html(unit(to)) + "</title></rect>";
  }
  const double median = scale.place(percentile(sorted, 0.5)) * 480;
  out += "<line class=\"median\" x1=\"" + px(median) + "\" y1=\"8\" x2=\"" + px(median) +
         "\" y2=\"140\"/>";
  out += "<text class=\"tick\" x=\"0\" y=\"160\">" + html(unit(low)) +
         "</text><text class=\"tick\" x=\"480\" y=\"160\" text-anchor=\"end\">" + html(unit(high)) +
         "</text><text class=\"tick strong\" x=\"" + px(std::clamp(median, 90.0, 390.0)) +
         "\" y=\"160\" text-anchor=\"middle\">median " + html(unit(percentile(sorted, 0.5))) +
         "</text></svg></figure>";
  return out;
}

std::string dot_with_interval(const Estimate& estimate, double low, double high, bool best) {
  if (estimate.count == 0) return "–";
  const Scale scale(low, high, Axis::kLinear);
  const auto x = [&](double value) { return 8 + scale.place(value) * 184; };
  std::string out = "<svg class=\"dot\" viewBox=\"0 0 200 16\" role=\"img\" aria-label=\"" +
                    html(number_text(estimate.mean)) +
                    "\"><line class=\"axis\" x1=\"8\" y1=\"8\" x2=\"192\" y2=\"8\"/>";
  if (estimate.interval) {
    out += "<line class=\"ci\" x1=\"" + px(x(estimate.interval->low)) + "\" y1=\"8\" x2=\"" +
           px(x(estimate.interval->high)) + "\" y2=\"8\"/>";
  }
  return out + "<circle class=\"" + (best ? "best" : "point") + "\" cx=\"" + px(x(estimate.mean)) +
         "\" cy=\"8\" r=\"5\"/></svg>";
}

std::string heat_map(const Comparison& comparison) {
  const std::string& down = comparison.keys[0];
  const std::string& across = comparison.keys[1];
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::map<std::pair<std::string, std::string>, const Group*> cells;
  double low = INFINITY;
  double high = -INFINITY;
  const auto remember = [](std::vector<std::string>& list, const std::string& value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  };
  for (const Group& group : comparison.groups) {
    remember(rows, group.settings.at(down));
    remember(columns, group.settings.at(across));
    cells[{group.settings.at(down), group.settings.at(across)}] = &group;
    if (group.metric.count == 0) continue;
    low = std::min(low, group.metric.mean);
    high = std::max(high, group.metric.mean);
  }
  std::sort(rows.begin(), rows.end());
  std::sort(columns.begin(), columns.end());
  if (rows.size() > 40 || columns.size() > 20) return "";
  const Scale scale(low, high, Axis::kLinear);
  std::string out = "<div class=\"scroll\"><table class=\"heat\"><caption>" +
                    html(comparison.metric, 80) + " by " + html(down, 80) + " (down) and " +
                    html(across, 80) + " (across)</caption><tr><td></td>";
  for (const std::string& column : columns)
    out += "<th scope=\"col\">" + html(column, 60) + "</th>";
  out += "</tr>";
  for (const std::string& row : rows) {
    out += "<tr><th scope=\"row\">" + html(row, 60) + "</th>";
    for (const std::string& column : columns) {
      const auto found = cells.find({row, column});
      if (found == cells.end() || found->second->metric.count == 0) {
        out += "<td class=\"none\">–</td>";
        continue;
      }
      double place = scale.place(found->second->metric.mean);
      if (!comparison.larger_is_better) place = 1 - place;
      const bool best = found->second == &comparison.groups.front();
      out += "<td class=\"h" + std::to_string(static_cast<int>(place * 8.999)) +
             (best ? " top" : "") + "\">" + html(number_text(found->second->metric.mean)) + "</td>";
    }
    out += "</tr>";
  }
  return out + "</table></div>";
}

std::string parallel_coordinates(const Comparison& comparison) {
  const std::size_t axes = comparison.keys.size() + 1;
  const auto x = [&](std::size_t i) {
    return 70 + 820 * static_cast<double>(i) / static_cast<double>(axes - 1);
  };
  std::vector<std::vector<std::string>> values(comparison.keys.size());
  double low = INFINITY;
  double high = -INFINITY;
  for (const Group& group : comparison.groups) {
    for (std::size_t i = 0; i < comparison.keys.size(); ++i) {
      values[i].push_back(group.settings.at(comparison.keys[i]));
    }
    if (group.metric.count == 0) continue;
    low = std::min(low, group.metric.mean);
    high = std::max(high, group.metric.mean);
  }
  std::string out =
      "<div class=\"scroll\"><svg class=\"parallel\" viewBox=\"0 0 960 300\" role=\"img\" "
      "aria-label=\"settings and " +
      html(comparison.metric, 80) + "\">";
  std::string labels;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::string name = i < comparison.keys.size() ? comparison.keys[i] : comparison.metric;
    labels += "<line class=\"axis\" x1=\"" + px(x(i)) + "\" y1=\"40\" x2=\"" + px(x(i)) +
              "\" y2=\"280\"/><text class=\"tick strong\" text-anchor=\"middle\" x=\"" + px(x(i)) +
              "\" y=\"24\">" + html(name, 30) + "</text>";
  }
  const auto label = [&](std::size_t i, double y, const std::string& text) {
    labels += "<text class=\"tick\" x=\"" + px(x(i) + 6) + "\" y=\"" + px(y + 4) + "\">" +
              html(text, 24) + "</text>";
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::sort(values[i].begin(), values[i].end());
    values[i].erase(std::unique(values[i].begin(), values[i].end()), values[i].end());
    if (values[i].size() > 14) continue;
    for (std::size_t k = 0; k < values[i].size(); ++k) {
      const double part = (static_cast<double>(k) + 0.5) / static_cast<double>(values[i].size());
      label(i, 280 - 240 * part, values[i][k].empty() ? "-" : values[i][k]);
    }
  }
  label(axes - 1, 280, number_text(low));
  label(axes - 1, 40, number_text(high));
  const Scale scale(low, high, Axis::kLinear);
  // The best is drawn last, over the others.
  for (std::size_t g = comparison.groups.size(); g-- > 0;) {
    const Group& group = comparison.groups[g];
    if (group.metric.count == 0) continue;
    std::string points;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = std::lower_bound(values[i].begin(), values[i].end(),
                                       group.settings.at(comparison.keys[i])) -
                      values[i].begin();
      const double part = (static_cast<double>(at) + 0.5) / static_cast<double>(values[i].size());
      points += px(x(i)) + "," + px(280 - 240 * part) + " ";
    }
    points += px(x(axes - 1)) + "," + px(280 - 240 * scale.place(group.metric.mean));
    double place = scale.place(group.metric.mean);
    if (!comparison.larger_is_better) place = 1 - place;
    out += "<polyline class=\"" +
           (g == 0 ? std::string("line-best")
                   : "line h" + std::to_string(static_cast<int>(place * 8.999))) +
           "\" points=\"" + points + "\"><title>" + html(group.title(), 300) + ": " +
           html(number_text(group.metric.mean)) + "</title></polyline>";
  }
  return out + labels + "</svg></div>";
}

}  // namespace assay::report
