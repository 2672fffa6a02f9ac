// Sets of required labels in groups, so that who looks for those that a worker bears looks at few:
// each set is in the group of one of its labels, of the one whose group was smallest when the set
// came. A worker bears a set only if it bears that label, so it looks into the groups of its own
// labels, however many sets there are.
//
// Sets come and never go, as in State; it changes only by State::apply.
#ifndef ASSAY_BROKER_CORE_LABEL_GROUPS_H_
#define ASSAY_BROKER_CORE_LABEL_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace assay::core {

enum class LabelGroup : std::uint32_t {};
// Of the empty set, which every worker bears.
inline constexpr LabelGroup kNoLabels{0};

class LabelGroups {
 public:
  using Labels = std::map<std::string, std::string>;

  // The group of a set that was not added before.
  LabelGroup add(const Labels& required);
  // All groups in which there may be sets that the bearer of these labels bears.
  std::vector<LabelGroup> borne_by(const Labels& labels) const;
  // Grows with every new group: what borne_by() answered is complete as long as it stays.
  std::size_t size() const { return groups_.size() + 1; }

 private:
  struct Group {
    LabelGroup number = kNoLabels;
    std::size_t sets = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> groups_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_LABEL_GROUPS_H_
