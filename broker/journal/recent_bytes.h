// The newest bytes of the journal, kept in memory: batches are built in here, written from here,
// and read back from here for as long as they are recent. Must not know: files, batches.
#ifndef ASSAY_BROKER_JOURNAL_RECENT_BYTES_H_
#define ASSAY_BROKER_JOURNAL_RECENT_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace assay::journal {

// Thread: one at a time.
class RecentBytes {
 public:
  // Keeps at least the last `bytes_min` bytes, and at most twice that (more only after a larger
  // batch).
  explicit RecentBytes(std::size_t bytes_min) : bytes_min_(bytes_min) {}

  // Room for `bytes` bytes that will stand at `offset` of `segment`. Valid until the next call.
  char* make_room(std::uint32_t segment, std::uint32_t offset, std::size_t bytes);

  // Those bytes, if they are still here. Valid until the next make_room().
  std::optional<std::string_view> find(std::uint32_t segment, std::uint32_t offset,
                                       std::size_t bytes) const;

 private:
  // A run of bytes that are contiguous in a segment.
  struct Window {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t used = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;  // of the first byte
  };

  std::size_t bytes_min_;
  Window current_;
  Window previous_;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_RECENT_BYTES_H_
