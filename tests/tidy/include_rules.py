"""Rules on who may know whom: the arrows between the folders, heavy headers, guards, and where a cluster is named."""

import re

import exceptions
from tree import Violation

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OURS = ("assay/", "sdk/", "broker/", "workers/", "cli/", "gateway/", "tests/", "bench/", "examples/")

HEAVY = ("msgpack", "nlohmann/", "yaml-cpp/", "spdlog/", "CLI/", "httplib")

# What broker/core may include beside the standard library and itself. xxhash is a pure function.
CORE_MAY = {"assay/ids.h", "assay/message.h", "assay/status.h", "assay/task.h", "xxhash.h"}

CLUSTER = re.compile(r"/apis/batch|/api/v1/(namespaces|nodes|pods)|\bkubectl\b|\bKUBECONFIG\b")
CLUSTER_HOME = "workers/eval/executor/kubernetes/"
SOURCE_FOLDERS = ("sdk/", "broker/", "workers/", "cli/", "gateway/", "bench/", "examples/")


def check(files):
    for file in files:
        if file.is_cpp:
            yield from includes(file)
        if file.suffix == ".h":
            yield from guard(file)
        if file.path.startswith(SOURCE_FOLDERS) and (file.is_cpp or file.is_python):
            yield from cluster(file)


def includes(file):
    for number, line in enumerate(file.lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        reason = forbidden(file.path, found.group(1) == "<", found.group(2))
        if reason:
            yield Violation(file.path, number, f"includes {found.group(2)}; {reason}")


def forbidden(path, in_angles, included):
    """Why the file at `path` may not include `included`, or nothing."""
    if path.endswith(".h") and path not in exceptions.HEAVY_HEADERS and included.startswith(HEAVY):
        return "heavy headers stay out of headers: compile time is everybody's"
    ours = included.startswith(OURS)
    if ours and in_angles and not path.startswith("examples/"):
        return "our own headers are included with quotes"
    if path.startswith("broker/core/"):
        standard = in_angles and re.fullmatch(r"[a-z_0-9]+", included)
        if not (standard or included in CORE_MAY or included.startswith("broker/core/")):
            return "the core knows only the standard library, the SDK's values and itself"
        if included in ("thread", "mutex", "chrono", "random", "fstream", "filesystem", "atomic", "iostream"):
            return "the core has no thread, clock, dice or file: they come in with the event"
    if not ours:
        return None
    if path.startswith("sdk/") and not included.startswith(("sdk/", "assay/")):
        return "the SDK knows nothing of the programs that use it"
    if path.startswith("workers/"):
        own = "/".join(path.split("/")[:2]) + "/"
        if not included.startswith(("sdk/", "assay/", own)):
            return "a worker knows the SDK and itself, neither the broker nor another worker"
    if path.startswith(("cli/", "gateway/")):
        own = path.split("/")[0] + "/"
        if not included.startswith(("sdk/", "assay/", own)):
            return "a program that talks to the broker knows the SDK and itself"
    if path.startswith("examples/") and not included.startswith("assay/"):
        return "an example uses what is installed: the public headers"
    if path.startswith("broker/"):
        if included.startswith(("workers/", "cli/", "gateway/")):
            return "the broker never reads what a worker does"
        if path.startswith("broker/journal/") and included.startswith("broker/net/"):
            return "the journal is below the net"
    if not path.startswith("tests/") and included.startswith("tests/"):
        return "only tests include what is in tests/"
    return None


def guard(file):
    path = file.path.removeprefix("sdk/include/assay/") if file.path.startswith("sdk/include/") else file.path
    wanted = "ASSAY_" + re.sub(r"[/.]", "_", path).upper() + "_"
    if f"#ifndef {wanted}" not in file.lines or f"#define {wanted}" not in file.lines:
        yield Violation(file.path, 1, f"the include guard is not {wanted}")
    if not file.lines or not file.lines[0].startswith("//"):
        yield Violation(file.path, 1, "no head: say in the first lines what this file is and must not know")


def cluster(file):
    if file.path.startswith(CLUSTER_HOME):
        return
    for number, line in enumerate(file.uncommented, 1):
        found = CLUSTER.search(line)
        if found:
            yield Violation(file.path, number, f"'{found.group()}': only {CLUSTER_HOME} may reach Kubernetes")
