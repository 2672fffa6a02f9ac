// The broker as the commands reach it.
#ifndef ASSAY_CLI_CONNECTION_H_
#define ASSAY_CLI_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/client.h"
#include "assay/progress.h"
#include "cli/arguments.h"
#include "cli/console.h"

namespace assay::cli {

// The time now, in the type that everything else speaks.
Time now();

using Notice = std::function<void(std::string_view line)>;

// A client whose broker answered; `notice` as in ClientOptions. Errors: those of Client::connect,
// with what to do about a broker that is not there.
Result<Client> connect(
    const GlobalOptions& global, Notice notice = [](std::string_view) {});

// Reports a failed call on standard error (with --json, on standard output as well) and gives its
// exit code.
ExitCode report(Console& console, const GlobalOptions& global, const Status& status);

// Whole ids of ids that may be shortened. Errors: as Client::status, naming the text at fault.
Result<std::vector<TaskId>> resolve(Client& client, const std::vector<std::string>& texts);
Result<TaskId> resolve(Client& client, const std::string& text);

// Client::operate, whose refusals name the command that shows what there is.
Result<std::uint64_t> operate(Client& client, Operation operation, const std::string& target);

// A subscriber for tasks, from the first event that is kept, or for what `options` say, whose
// connection is the command's.
Subscriber subscribe(const GlobalOptions& global, std::vector<TaskId> tasks);
Subscriber subscribe(const GlobalOptions& global, SubscriberOptions options);

// $USER, or the account's name, when it makes a valid name; else "local".
std::string default_owner();

}  // namespace assay::cli

#endif  // ASSAY_CLI_CONNECTION_H_
