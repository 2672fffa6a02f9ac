"""Rules that hold the documents to the code: tests that failures.md names, metrics, links, paths."""

import re
from pathlib import Path, PurePosixPath

from tree import Violation

FAILURES = "docs/failures.md"
OPERATIONS = "docs/operations.md"
CPP_TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
PYTHON_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)\(", re.MULTILINE)
METRIC = re.compile(r'"(assay_[a-z_]+(?:_total|_seconds|_bytes|_depth|_workers|_slots|_sequence|_records|_open'
                    r'|_pods))"|"(assay_workers|assay_pods)"')
SETTING = re.compile(r'\boptions\s*\.\s*(?:text|texts|boolean|integer|number|duration|bytes|word)\(\s*"(\w+)"')
PROTOCOL = "docs/protocol.md"
REFUSERS = ("broker/core/", "broker/net/router.", "sdk/wire/")
REASON = re.compile(r'(?:fix_input|retry_later|not_found)\(\s*"(\w+)"|Code::k\w+,\s*"(\w+)"')
# Reasons that no peer is told.
INNER_REASONS = {"impossible_record", "invalid_schedule"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path of one person's machine is of no use to another.
PRIVATE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/(?!x\b|y\b)[A-Za-z0-9_.-]+/")


def check(files, root=None):
    by_path = {file.path: file for file in files}
    yield from failures(by_path)
    yield from metrics(by_path)
    yield from reasons(by_path)
    yield from settings(by_path)
    for file in files:
        if file.suffix == ".md":
            yield from links(file, by_path)
        if not file.path.startswith("tests/tidy/"):
            yield from private_paths(file)


def known_tests(by_path):
    """Everything that a row may name: a file, Suite.Name, Name alone, a Python test, a golden dialogue."""
    names = set()
    for path, file in by_path.items():
        if not path.startswith("tests/"):
            continue
        names.update({path, PurePosixPath(path).name, PurePosixPath(path).stem})
        if file.suffix == ".cc":
            for suite, name in CPP_TEST.findall(file.text):
                names.update({name, f"{suite}.{name}"})
        if file.suffix == ".py":
            names.update(PYTHON_TEST.findall(file.text))
    return names


def failures(by_path):
    file = by_path.get(FAILURES)
    if file is None:
        return
    names = known_tests(by_path)
    for number, line in enumerate(file.lines, 1):
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if set(cells[-1]) <= set("-: ") or cells[-1].lower() in ("test", "tests", "proved by"):
            continue
        tests = re.findall(r"`([^`]+)`", cells[-1])
        if not tests:
            yield Violation(file.path, number, "no test proves this row; name one in its last column")
        for test in tests:
            if test not in names:
                yield Violation(file.path, number, f"there is no test '{test}'; name a gtest, a Python test, "
                                "a dialogue or a file in tests/")


def metrics(by_path):
    operations = by_path.get(OPERATIONS)
    if operations is None:
        return
    told = set(re.findall(r"assay_[a-z_]+", operations.text))
    for path, file in by_path.items():
        if not path.startswith(("broker/", "workers/", "gateway/")) or not file.is_cpp:
            continue
        for number, line in enumerate(file.uncommented, 1):
            for found in METRIC.findall(line):
                name = found[0] or found[1]
                if name not in told:
                    yield Violation(path, number, f"the metric {name} is not in {OPERATIONS}; say what it means")
                    told.add(name)


def settings(by_path):
    operations = by_path.get(OPERATIONS)
    if operations is None:
        return
    told = set(re.findall(r"`(\w+)`", operations.text))
    for path, file in by_path.items():
        if not path.startswith(("broker/", "workers/", "gateway/")) or file.suffix != ".cc":
            continue
        code = "\n".join(file.uncommented)
        for found in SETTING.finditer(code):
            if found.group(1) not in told:
                line = code.count("\n", 0, found.start()) + 1
                yield Violation(path, line, f"the setting {found.group(1)} is not in {OPERATIONS}; say what it does")


def reasons(by_path):
    protocol = by_path.get(PROTOCOL)
    if protocol is None:
        return
    told = set(re.findall(r"`(\w+)`", protocol.text)) | INNER_REASONS
    for path, file in by_path.items():
        if not path.startswith(REFUSERS) or file.suffix != ".cc":
            continue
        code = "\n".join(file.uncommented)
        for found in REASON.finditer(code):
            reason = found.group(1) or found.group(2)
            if reason not in told:
                line = code.count("\n", 0, found.start()) + 1
                yield Violation(path, line, f"the reason '{reason}' is not in {PROTOCOL}, section 10; peers compare it")


def links(file, by_path):
    fenced = False
    for number, line in enumerate(file.lines, 1):
        fenced ^= line.startswith("```")
        if fenced:
            continue
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            path = resolve(file.path, target.split("#")[0])
            if path not in by_path and not any(p.startswith(path.rstrip("/") + "/") for p in by_path):
                yield Violation(file.path, number, f"the link to {target} leads nowhere")


def resolve(path, target):
    parts = []
    for part in (PurePosixPath(path).parent / target).parts:
        if part == "..":
            if parts:
                parts.pop()
        elif part != ".":
            parts.append(part)
    return str(Path(*parts)) if parts else "."


def private_paths(file):
    for number, line in enumerate(file.lines, 1):
        found = PRIVATE_PATH.search(line)
        if found:
            yield Violation(file.path, number, f"'{found.group()}' is a path of somebody's own machine")
