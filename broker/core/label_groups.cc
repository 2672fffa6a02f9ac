#include "broker/core/label_groups.h"

namespace assay::core {

LabelGroup LabelGroups::add(const Labels& required) {
  if (required.empty()) return kNoLabels;
  const auto sets_of = [this](const auto& label) {
    const auto found = groups_.find(label);
    return found == groups_.end() ? 0 : found->second.sets;
  };
  auto best = required.begin();
  for (auto label = required.begin(); label != required.end(); ++label) {
    if (sets_of(*label) < sets_of(*best)) best = label;
  }
  const auto next = LabelGroup{static_cast<std::uint32_t>(size())};
  Group& group = groups_.try_emplace(*best, Group{.number = next}).first->second;
  ++group.sets;
  return group.number;
}

std::vector<LabelGroup> LabelGroups::borne_by(const Labels& labels) const {
  std::vector<LabelGroup> borne{kNoLabels};
  for (const auto& label : labels) {
    const auto found = groups_.find(label);
    if (found != groups_.end()) borne.push_back(found->second.number);
  }
  return borne;
}

}  // namespace assay::core
