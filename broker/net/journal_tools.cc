#include "broker/net/journal_tools.h"

#include <cstdio>
#include <iostream>

#include "broker/journal/backup.h"
#include "broker/journal/inspection.h"
#include "broker/journal/posix_file_system.h"
#include "broker/journal/print.h"
#include "broker/journal/record_codec.h"
#include "broker/journal/repair.h"

namespace assay::net {
namespace {

int fail(const Status& status) {
  std::fprintf(stderr, "assay-broker: %s\n", status.message().c_str());
  return 1;
}

std::string render(std::string_view head) {
  auto record = journal::decode_record(head);
  return record.is_ok() ? journal::describe_record(*record) : record.status().to_string();
}

int verify_journal(journal::FileSystem& files, const std::string& data_dir) {
  auto inspection = journal::inspect(files, data_dir);
  if (!inspection.is_ok()) return fail(inspection.status());
  std::cout << inspection->to_string() << std::flush;
  return inspection->is_intact() ? 0 : 1;
}

int repair_journal(journal::FileSystem& files, const std::string& data_dir) {
  auto report = journal::repair(files, data_dir);
  if (!report.is_ok()) return fail(report.status());
  std::cout << report->to_string() << std::flush;
  return 0;
}

int back_up(journal::FileSystem& files, const std::string& data_dir, const std::string& to) {
  auto report = journal::backup(files, data_dir, to);
  if (!report.is_ok()) return fail(report.status());
  std::cout << "copied " << report->segments << " segments, " << report->bytes
            << " bytes, up to batch " << report->last_sequence << ", to " << to << "\n";
  return 0;
}

}  // namespace

int run_journal_tools(const JournalTools& tools, const std::string& data_dir) {
  journal::PosixFileSystem files;
  if (!tools.backup.empty()) return back_up(files, data_dir, tools.backup);
  if (tools.print) {
    Status status = journal::print(files, data_dir, std::cout, render);
    return status.is_ok() ? 0 : fail(status);
  }
  return tools.repair ? repair_journal(files, data_dir) : verify_journal(files, data_dir);
}

}  // namespace assay::net
