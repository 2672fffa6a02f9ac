#include "broker/net/journal_tools.h"

#include <cstdio>
#include <iostream>

#include "broker/compaction/checkpoint_backup.h"
#include "broker/compaction/checkpoint_directory.h"
#include "broker/journal/directory.h"
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

// Of the checkpoint that the journal begins with; empty: it has none.
std::string checkpoint_in(journal::FileSystem& files, const std::string& data_dir) {
  const auto manifest = journal::read_manifest(files, data_dir);
  if (!manifest.is_ok() || !manifest.value()) return {};
  const std::uint32_t segment = compaction::checkpoint_of(*manifest.value());
  return segment == 0 ? std::string() : compaction::checkpoint_path(data_dir, segment);
}

int verify_directory(journal::FileSystem& files, const std::string& directory) {
  auto inspection = journal::inspect(files, directory);
  if (!inspection.is_ok()) return fail(inspection.status());
  std::cout << inspection->to_string() << std::flush;
  return inspection->is_intact() ? 0 : 1;
}

int verify_journal(journal::FileSystem& files, const std::string& data_dir) {
  const std::string checkpoint = checkpoint_in(files, data_dir);
  const int journal = verify_directory(files, data_dir);
  if (checkpoint.empty()) return journal;
  std::cout << "the checkpoint that it begins with, " << checkpoint << ":\n";
  const auto manifest = journal::read_manifest(files, data_dir);
  const auto whole = compaction::read_checkpoint(
      files, data_dir, *manifest.value(), [](const journal::EntryView&) { return Status::ok(); });
  if (whole.is_ok()) {
    std::cout << whole->bytes << " bytes, and nothing is damaged\n";
    return journal;
  }
  static_cast<void>(verify_directory(files, checkpoint));  // all that is wrong with it
  return fail(whole.status());
}

int repair_journal(journal::FileSystem& files, const std::string& data_dir) {
  auto report = journal::repair(files, data_dir);
  if (!report.is_ok()) return fail(report.status());
  std::cout << report->to_string() << std::flush;
  const std::string checkpoint = checkpoint_in(files, data_dir);
  if (checkpoint.empty()) return 0;
  const auto manifest = journal::read_manifest(files, data_dir);
  const auto replaced = compaction::replace_missing_checkpoint(files, data_dir, *manifest.value());
  if (!replaced.is_ok()) return fail(replaced.status());
  if (*replaced) {
    std::cout << "the checkpoint " << checkpoint
              << " is missing: an empty one stands in its place, what came after it is kept\n";
  }
  report = journal::repair(files, checkpoint);
  if (!report.is_ok()) return fail(report.status());
  std::cout << report->to_string() << std::flush;
  return 0;
}

Status print_journal(journal::FileSystem& files, const std::string& data_dir) {
  const std::string checkpoint = checkpoint_in(files, data_dir);
  if (!checkpoint.empty()) {
    std::cout << "checkpoint " << checkpoint << "\n";
    Status status = journal::print(files, checkpoint, std::cout, render);
    if (!status.is_ok()) return status;
  }
  return journal::print(files, data_dir, std::cout, render);
}

int back_up(journal::FileSystem& files, const std::string& data_dir, const std::string& to) {
  auto report = compaction::back_up(files, data_dir, to);
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
    Status status = print_journal(files, data_dir);
    return status.is_ok() ? 0 : fail(status);
  }
  return tools.repair ? repair_journal(files, data_dir) : verify_journal(files, data_dir);
}

}  // namespace assay::net
