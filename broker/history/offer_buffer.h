// What the broker's loop has offered and the writer has not taken: the bytes of whole batches, up
// to a bound. Filling it copies bytes into memory that is there already, and does nothing else.
// Must not know: threads.
#ifndef ASSAY_BROKER_HISTORY_OFFER_BUFFER_H_
#define ASSAY_BROKER_HISTORY_OFFER_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/history/limits.h"
#include "broker/history/projection.h"
#include "broker/journal/journal.h"

namespace assay::history {

class OfferBuffer {
 public:
  explicit OfferBuffer(std::size_t bytes_max = kOfferedBytesMax,
                       std::size_t records_max = kOfferedRecordsMax);

  // Takes a copy of the batch. False, and nothing is taken: there is no room.
  bool add(std::uint64_t sequence, std::span<const journal::Entry> entries);
  bool is_empty() const { return batches_.empty(); }
  std::size_t records() const { return pieces_.size(); }
  void clear();

  // Tells every batch in order to `visit(sequence, entries)`, until one answers a failure.
  template <typename Visit>
  Status for_each(Visit visit) const {
    std::vector<EntryBytes> entries;
    const char* at = bytes_.data();
    auto piece = pieces_.begin();
    for (const Batch& batch : batches_) {
      entries.clear();
      for (const auto end = piece + batch.records; piece != end; ++piece) {
        entries.push_back({.head = {at, piece->head},
                           .blob = {at + piece->head, piece->kept},
                           .blob_bytes = piece->blob});
        at += piece->head + piece->kept;
      }
      if (Status status = visit(batch.sequence, entries); !status.is_ok()) return status;
    }
    return Status::ok();
  }

 private:
  struct Piece {
    std::uint32_t head = 0;  // bytes
    std::uint32_t kept = 0;  // bytes of its blob that follow
    std::uint64_t blob = 0;  // bytes of its blob
  };
  struct Batch {
    std::uint64_t sequence = 0;
    std::ptrdiff_t records = 0;
  };

  std::size_t bytes_max_;
  std::size_t records_max_;
  std::string bytes_;
  std::vector<Piece> pieces_;
  std::vector<Batch> batches_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_OFFER_BUFFER_H_
