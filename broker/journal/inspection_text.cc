// What an inspection found, in words for people.
#include "broker/journal/inspection.h"

namespace assay::journal {

std::string Damage::to_string() const {
  std::string text = file + " at offset " + std::to_string(offset);
  if (bytes > 0) {
    text += ", " + std::to_string(bytes) + " bytes";
  }
  text += ": " + what;
  if (lost_batches > 0) {
    text += "; lost: batches " + std::to_string(first_sequence) + " to " +
            std::to_string(first_sequence + lost_batches - 1);
  } else if (kind == Kind::kSegmentMissing) {
    text += "; lost: whatever followed batch " + std::to_string(first_sequence - 1);
  }
  return text;
}

std::string Inspection::to_string() const {
  std::string text;
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
  for (const SegmentSummary& segment : segments) {
    text += segment.file + ": batches " + std::to_string(segment.header.first_sequence) + " to " +
            std::to_string(segment.next_sequence - 1) + ", " + std::to_string(segment.entries) +
            " entries, " + std::to_string(segment.bytes) + " bytes" +
            (segment.sealed ? ", sealed\n" : "\n");
    batches += segment.batches;
    entries += segment.entries;
  }
  for (const std::string& note : notes) {
    text += "note: " + note + "\n";
  }
  for (const Damage& damage : damages) {
    text += "DAMAGED: " + damage.to_string() + "\n";
  }
  text += std::to_string(entries) + " entries in " + std::to_string(batches) + " batches in " +
          std::to_string(segments.size()) + " segments are intact";
  text += damages.empty() ? ", and nothing is damaged\n"
                          : "; run assay-broker --repair to keep them and set the rest aside\n";
  return text;
}

}  // namespace assay::journal
