// Two windows: one fills while the other remembers. Nothing is copied to keep it.
#include "broker/journal/recent_bytes.h"

#include <algorithm>
#include <utility>

namespace assay::journal {

char* RecentBytes::make_room(std::uint32_t segment, std::uint32_t offset, std::size_t bytes) {
  const bool continues = current_.segment == segment && current_.offset + current_.used == offset;
  if (!continues || current_.capacity - current_.used < bytes) {
    std::swap(current_, previous_);
    const std::size_t wanted = std::max(bytes_min_, bytes);
    // A window that grew for one large batch does not stay large.
    if (current_.capacity < wanted || current_.capacity > 2 * wanted) {
      current_.bytes = std::make_unique_for_overwrite<char[]>(wanted);
      current_.capacity = wanted;
    }
    current_.used = 0;
    current_.segment = segment;
    current_.offset = offset;
  }
  char* room = current_.bytes.get() + current_.used;
  current_.used += bytes;
  return room;
}

std::optional<std::string_view> RecentBytes::find(std::uint32_t segment, std::uint32_t offset,
                                                  std::size_t bytes) const {
  for (const Window* window : {&current_, &previous_}) {
    if (window->segment == segment && offset >= window->offset &&
        offset - window->offset + bytes <= window->used) {
      return std::string_view(window->bytes.get() + (offset - window->offset), bytes);
    }
  }
  return std::nullopt;
}

}  // namespace assay::journal
