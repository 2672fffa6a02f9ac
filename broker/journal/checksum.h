// CRC32C (Castagnoli), the checksum of everything the journal writes.
#ifndef ASSAY_BROKER_JOURNAL_CHECKSUM_H_
#define ASSAY_BROKER_JOURNAL_CHECKSUM_H_

#include <cstdint>
#include <string_view>

namespace assay::journal {

// The checksum of `bytes`, by the processor's own instruction where it has one.
// `before` is the checksum of the bytes that precede them, so that pieces can be summed in turn.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// The same by table, for processors without the instruction, and to check the other against.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_CHECKSUM_H_
