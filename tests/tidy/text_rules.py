"""Rules on lines, lengths, names and words."""

import re

import exceptions
from tree import Violation

COLUMNS = {".h": 100, ".cc": 100, ".py": 120, ".md": 120, ".cmake": 120, ".txt": 120}
FILE_LINES, TEST_FILE_LINES, HEART_LINES = 300, 500, 700
FUNCTION_LINES = 70

BANNED_NAMES = {"common", "util", "utils", "helper", "helpers", "manager", "managers", "misc"}
BANNED_WORDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|u?sleep|nanosleep)\s*\(")
NEW_OR_DELETE = re.compile(r"(?<!operator )\b(new\s+[A-Za-z_:(]|delete\s*(\[\])?\s+[A-Za-z_*(])")
PYTHON_SLEEP = re.compile(r"\btime\.sleep\s*\(")


def check(files):
    for file in files:
        yield from columns(file)
        yield from file_length(file)
        yield from function_length(file)
        yield from names(file)
        yield from words(file)
        if file.is_cpp or file.is_python:
            yield from code(file)


def columns(file):
    limit = COLUMNS.get(file.suffix)
    if limit is None or "/dialogues/" in file.path or file.path.startswith("tests/golden/messages/"):
        return
    fenced = False
    for number, line in enumerate(file.lines, 1):
        if file.suffix == ".md":
            fenced ^= line.startswith("```")
            # A table's row, a program's output and a link can't be broken.
            if fenced or line.startswith("|") or " " not in line.strip():
                continue
        if len(line) > limit:
            yield Violation(file.path, number, f"{len(line)} columns; break the line, {limit} are allowed")


def is_test(path):
    return path.startswith("tests/")


def file_length(file):
    if not (file.is_cpp or file.is_python) or file.path in exceptions.ANY_LENGTH:
        return
    limit = TEST_FILE_LINES if is_test(file.path) else FILE_LINES
    if file.path in exceptions.HEARTS:
        limit = HEART_LINES
    limit = exceptions.FILES_TO_BE_SHORTENED.get(file.path, limit)
    if len(file.lines) > limit:
        yield Violation(file.path, limit + 1, f"{len(file.lines)} lines; one idea a file, {limit} lines are allowed: "
                        "move an idea to a file of its own")


def function_length(file):
    for first, last in file.functions:
        length = last - first + 1
        head = file.lines[first - 1].strip()
        limit = exceptions.FUNCTIONS_TO_BE_SHORTENED.get((file.path, head), FUNCTION_LINES)
        if length > limit:
            yield Violation(file.path, first, f"a function of {length} lines; {limit} are allowed: "
                            "give a part of it a name")


def names(file):
    for part in file.path.split("/"):
        banned = BANNED_NAMES & set(re.split(r"[_.-]", part.lower()))
        if banned:
            yield Violation(file.path, 1, f"'{banned.pop()}' in a name says nothing; name what it does")


def words(file):
    for number, line in enumerate(file.lines, 1):
        found = BANNED_WORDS.search(line)
        if found:
            yield Violation(file.path, number, f"'{found.group()}': do it now, or write it down in the README's "
                            "Limitations")


def code(file):
    for number, line in enumerate(file.code, 1):
        if file.is_cpp and re.search(r"\busing\s+namespace\s+std\s*;", line):
            yield Violation(file.path, number, "'using namespace std': name what is used")
        if file.is_cpp and file.path not in exceptions.NAKED_NEW and NEW_OR_DELETE.search(line):
            # A private constructor's object may be given to its owner in the same statement.
            statement = " ".join(file.code[max(0, number - 2):number])
            if not re.search(r"(unique_ptr|shared_ptr)<", statement):
                yield Violation(file.path, number, "new or delete by hand; use a value or std::make_unique")
        sleep = (PYTHON_SLEEP if file.is_python else SLEEP).search(line)
        if sleep and is_test(file.path) and file.path not in exceptions.SLEEPS:
            yield Violation(file.path, number, "a test sleeps; wait for a signal or a condition with a deadline "
                            "(or give the reason in tests/tidy/exceptions.py)")
