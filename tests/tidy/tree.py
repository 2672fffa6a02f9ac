"""The files of the tree as the rules of tidy see them: text, code without comments, and functions with their length.

Knows nothing of any rule."""

import ast
import io
import re
import subprocess
import tokenize
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CPP = (".h", ".cc")


@dataclass(frozen=True, order=True)
class Violation:
    path: str
    line: int
    message: str  # what was found, and what to do

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


@dataclass
class SourceFile:
    path: str  # from the root of the tree
    text: str
    lines: list = field(init=False)

    def __post_init__(self):
        self.lines = self.text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()

    @property
    def suffix(self):
        return Path(self.path).suffix

    @property
    def is_cpp(self):
        return self.suffix in CPP

    @property
    def is_python(self):
        return self.suffix == ".py"

    @cached_property
    def code(self):
        """Lines with comments and the insides of strings blanked: what the compiler acts on."""
        return self._blanked(strings=True)

    @cached_property
    def uncommented(self):
        """Lines with comments blanked and strings kept."""
        return self._blanked(strings=False)

    @cached_property
    def functions(self):
        """(first line, last line) of each outermost function, lines from 1."""
        if self.is_cpp:
            return cpp_functions(self.code)
        if self.is_python:
            return python_functions(self.text)
        return []

    def _blanked(self, strings):
        if self.is_cpp:
            return blank_cpp(self.text, strings).split("\n")
        if self.is_python:
            return blank_python(self.text, strings).split("\n")
        return self.lines


def read_tree(root):
    """Every text file that git knows or would take, as SourceFiles sorted by path."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True)
    if listed.returncode == 0:
        paths = listed.stdout.splitlines()
    else:  # an unpacked archive
        paths = [str(p.relative_to(root)) for p in Path(root).rglob("*") if p.is_file()]
        paths = [p for p in paths if not p.startswith(("build/", ".git/")) and "__pycache__" not in p]
    files = []
    for path in sorted(set(paths)):
        full = Path(root, path)
        if not full.is_file():
            continue
        data = full.read_bytes()
        if b"\0" not in data:
            files.append(SourceFile(path, data.decode("utf-8", "replace")))
    return files


_CPP_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank_cpp(text, strings):
    """`text` with its comments, and if `strings` also its literals, replaced by blanks; lines stay where they are."""
    def blank(match):
        found = match.group()
        if not found.startswith("/"):
            if not strings:
                return found
            return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]
        return re.sub(r"[^\n]", " ", found)
    # The paths of #include lines are names, not strings.
    pieces = re.split(r"(?m)(^[ \t]*#[ \t]*include[^\n]*$)", text)
    return "".join(p if i % 2 else _CPP_TOKEN.sub(blank, p) for i, p in enumerate(pieces))


def blank_python(text, strings):
    rows = [list(line) for line in text.split("\n")]
    kinds = {tokenize.COMMENT} | ({tokenize.STRING} if strings else set())
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in kinds:
                (top, left), (bottom, right) = token.start, token.end
                for row in range(top, bottom + 1):
                    line = rows[row - 1]
                    begin = left if row == top else 0
                    end = right if row == bottom else len(line)
                    line[begin:end] = " " * (end - begin)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass  # what was understood is blanked; the interpreter's own error is better than ours
    return "\n".join("".join(row) for row in rows)


def cpp_functions(code):
    """Approximate, by braces: a `{` outside of any function whose head has parentheses and no `=` opens one."""
    functions, stack = [], []  # the stack holds (kind, line)
    head, head_line, inside = "", 0, 0
    for number, line in enumerate(code, 1):
        if line.lstrip().startswith("#"):
            continue
        for char in line + "\n":
            if char == "{":
                kind = "block" if inside else _kind_of(head)
                inside += kind == "function"
                stack.append((kind, head_line or number))
                if kind in ("scope", "function"):
                    head, head_line = "", 0
            elif char == "}" and stack:
                kind, line_of_head = stack.pop()
                if kind == "function":
                    functions.append((line_of_head, number))
                    inside -= 1
                if kind in ("scope", "function"):
                    head, head_line = "", 0
            elif char == ";" and not inside and not _open_parentheses(head):
                head, head_line = "", 0
            elif not inside:
                if not head.strip() and not char.isspace():
                    head_line = number
                head += char
    return functions


def _open_parentheses(head):
    return head.count("(") > head.count(")")


def _kind_of(head):
    """What the brace after `head` opens, outside of functions: a scope, a function, or a value."""
    head = re.sub(r"\s+", " ", head).strip()
    head = re.sub(r"^(public|private|protected) ?: ?", "", head)
    if re.match(r"(inline )?namespace\b|extern \"", head):
        return "scope"
    plain = re.sub(r"^template ?<.*?> (?=struct|class|enum|union)", "", head)
    if re.match(r"(typedef )?(struct|class|enum|union)\b", plain) and not re.search(r"\) ?(const)?$", plain):
        return "scope"
    if "(" not in head or _open_parentheses(head):
        return "value"
    if re.search(r"(?<![=!<>])=(?!=)", re.sub(r"operator ?\S+|\([^()]*\)", "", head)):
        return "value"
    if re.search(r"\) ?(noexcept|const)? ?: .*\w$", head):
        return "value"  # a member's initial value in a constructor's list
    return "function"


def python_functions(text):
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    found = []

    def visit(node, inside):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and not inside:
            found.append((node.lineno, node.end_lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, inside or is_function)

    visit(tree, False)
    return found
