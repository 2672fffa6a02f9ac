// Text from evaluations made fit for a page: what cannot be seen or would change how the rest is
// read is written out. Knows no format; escaping for HTML, XML, CSV or Markdown comes after it.
#ifndef ASSAY_WORKERS_REPORT_TEXT_VISIBLE_H_
#define ASSAY_WORKERS_REPORT_TEXT_VISIBLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::report {

enum class Lines : bool { kOne = false, kMany = true };  // kOne: line ends become a sign as well

// Valid UTF-8 of at most about `bytes_max` bytes. Control characters become their pictures (U+2400
// and on), C1 controls, characters that change the direction of text, invisible ones and
// noncharacters become "[U+202E]", bytes that are no UTF-8 become U+FFFD. What is cut off is said:
// "… [9.9 MB more]". With kMany the beginning and the end are kept, line ends stay.
std::string visible(std::string_view text, std::size_t bytes_max, Lines lines = Lines::kOne);

// "1.5 MB", "12 B"
std::string bytes_text(double bytes);
// At most four figures: "0.9731", "12.5", "1,234".
std::string number_text(double number);
// "0.4 s", "2 m 05 s", "3 h 20 m"
std::string seconds_text(double seconds);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_TEXT_VISIBLE_H_
