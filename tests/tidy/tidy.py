#!/usr/bin/env python3
"""tidy [ROOT]: holds the tree to its style and prints every violation at once, as file:line and what to do.

Exit 0 when there is none. The rules are in *_rules.py, what they let pass in exceptions.py; docs/hacking.md gives the
reasons. Thousands of lines take about a second, so it runs with the unit tests."""

import sys
from pathlib import Path

import document_rules
import exceptions
import include_rules
import text_rules
from tree import Violation, read_tree


def violations(files):
    found = []
    for rules in (text_rules, include_rules, document_rules):
        found.extend(rules.check(files))
    return sorted(set(found))


def stale_exceptions(files):
    """Exceptions of which nothing is left in the tree."""
    paths = {file.path for file in files}
    lists = (exceptions.HEARTS, exceptions.ANY_LENGTH, exceptions.FILES_TO_BE_SHORTENED, exceptions.SLEEPS,
             exceptions.NAKED_NEW, exceptions.HEAVY_HEADERS)
    for listed in lists:
        for path in listed:
            if path not in paths:
                yield Violation("tests/tidy/exceptions.py", 1, f"{path} is gone: take it from the list")
    by_path = {file.path: file for file in files}
    for path, limit in exceptions.FILES_TO_BE_SHORTENED.items():
        usual = text_rules.TEST_FILE_LINES if text_rules.is_test(path) else text_rules.FILE_LINES
        if path in by_path and len(by_path[path].lines) <= usual:
            yield Violation("tests/tidy/exceptions.py", 1, f"{path} is short enough: take it from the list")
    for path in exceptions.HEARTS:
        if path in by_path and len(by_path[path].lines) <= text_rules.FILE_LINES:
            yield Violation("tests/tidy/exceptions.py", 1, f"{path} is an ordinary file: take it from the hearts")
    for path, head in exceptions.FUNCTIONS_TO_BE_SHORTENED:
        file = by_path.get(path)
        lengths = {file.lines[f - 1].strip(): l - f + 1 for f, l in file.functions} if file else {}
        if lengths.get(head, 0) <= text_rules.FUNCTION_LINES:
            yield Violation("tests/tidy/exceptions.py", 1, f"{path}: '{head}' is short enough or gone: take it out")


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    files = read_tree(root)
    if not any(file.is_cpp for file in files):
        print(f"tidy: no sources below {root}; expected the root of the tree", file=sys.stderr)
        return 2
    found = violations(files) + list(stale_exceptions(files))
    for violation in found:
        print(violation)
    print(f"tidy: {len(files)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
