// Aligned columns.
#ifndef ASSAY_CLI_TEXT_TABLE_H_
#define ASSAY_CLI_TEXT_TABLE_H_

#include <string>
#include <vector>

#include "cli/text/line.h"

namespace assay::cli {

struct Column {
  std::string title;
  bool right = false;  // numbers
};

// Rows of printable cells. The last column takes what is left of the width and is cut there.
struct Table {
  std::vector<Column> titles;
  std::vector<std::vector<Span>> rows;
};

// One text a row, the titles first, without trailing spaces; empty titles of all columns leave that
// row out.
std::vector<std::string> render(const Table& table, const Look& look);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TEXT_TABLE_H_
