"""An evaluation as the body of a task on the queue `eval` (sdk/evaluation/README.md): read from a file, with what lies
beside it and belongs to it.

Scripts and notebooks are read here. YAML, and scripts with a `# /// assay` block, are read by the `assay` command,
so that there is one strict reader of it and not two."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any, Mapping

import msgpack

from assay import model
from assay.errors import AssayError

FILE_BYTES_MAX = 8 << 20
_SUITES = ("my_test_suite.jsonl", "my_test_suite.json")
_KINDS = {".py": 0, ".ipynb": 1, ".yaml": 2, ".yml": 2}
_TIMES = ("timeout", "test_timeout")
_SETTINGS = ("name", "arguments", "tests", "seconds_per_test", "danger", "isolated", "pods_max", "profile", "endpoint",
             "model", "pass_threshold", "outputs") + _TIMES


def _invalid(message: str) -> AssayError:
    return AssayError("fix_input", "invalid_evaluation", message)


@dataclass
class Evaluation:
    """The document's keys. `timeout_ms` and `test_timeout_ms` are milliseconds."""

    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.keys.get("name", ""))

    def change(self, settings: Mapping[str, Any]) -> None:
        """Settings override what the file says; times are seconds or timedeltas."""
        for name, value in settings.items():
            if name not in _SETTINGS:
                raise _invalid(f"there is no setting '{name}'; there are {', '.join(_SETTINGS)}")
            if name in _TIMES:
                self.keys[name + "_ms"] = model.milliseconds(value)
            else:
                self.keys[name] = list(value) if isinstance(value, tuple) else value

    def encode(self) -> bytes:
        return bytes(msgpack.packb(self.keys, use_bin_type=True))


def load(path: str | os.PathLike[str]) -> Evaluation:
    """Reads a .py, .ipynb, .yaml or .yml. Raises AssayError `unreadable_file`, `invalid_evaluation`, `no_command`."""
    path = os.fspath(path)
    stem, extension = os.path.splitext(os.path.basename(path))
    if extension not in _KINDS:
        raise _invalid(f"{path}: expected a .py, .ipynb, .yaml or .yml file")
    content = _read(path)
    if extension in (".yaml", ".yml") or (extension == ".py" and b"\n# /// assay" in b"\n" + content):
        return _load_with_command(path)
    if extension == ".ipynb":
        _check_notebook(path, content)
    entry = os.path.basename(path)
    files = {entry: content}
    folder = os.path.dirname(path) or "."
    if extension == ".py":
        _add_imports(folder, content, files)
    for suite in _SUITES:
        if os.path.isfile(os.path.join(folder, suite)):
            files[suite] = _read(os.path.join(folder, suite))
    return Evaluation({"version": 1, "kind": _KINDS[extension], "name": stem, "entry": entry,
                       "files": [{"path": name, "content": data} for name, data in files.items()]})


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise AssayError("fix_input", "unreadable_file", f"cannot read {path}: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise AssayError("fix_input", "unreadable_file", f"{path} is longer than {FILE_BYTES_MAX} bytes")
    return content


def _load_with_command(path: str) -> Evaluation:
    command = os.environ.get("ASSAY_COMMAND") or shutil.which("assay")
    if command is None:
        raise AssayError("fix_input", "no_command", f"{path} holds YAML, which the 'assay' command reads; it is not on "
                         "the PATH. Install it, or name it in ASSAY_COMMAND")
    done = subprocess.run([command, "eval", path, "--body", "-"], capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise _invalid(done.stderr.decode(errors="replace").strip() or f"{command} ended with {done.returncode}")
    return Evaluation(msgpack.unpackb(done.stdout, raw=False))


def _check_notebook(path: str, content: bytes) -> None:
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        raise _invalid(f"{path}: expected a notebook, found no valid JSON") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list) or notebook.get("nbformat") != 4:
        raise _invalid(f'{path}: expected a Jupyter notebook of format 4 ("nbformat": 4, with "cells")')


def _imported(content: bytes) -> set[str]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return set()  # the runner will say so, with the line
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names.update([base] if base else [alias.name for alias in node.names])
    return {name.split(".")[0] for name in names if name}


def _add_imports(folder: str, content: bytes, files: dict[str, bytes]) -> None:
    """Modules and packages that lie beside the script and that it imports, and theirs."""
    for name in sorted(_imported(content)):
        paths = [name + ".py"] if os.path.isfile(os.path.join(folder, name + ".py")) else []
        if os.path.isfile(os.path.join(folder, name, "__init__.py")):
            for base, _, members in os.walk(os.path.join(folder, name)):
                paths += [os.path.relpath(os.path.join(base, each), folder) for each in members if each.endswith(".py")]
        for path in paths:
            if path not in files:
                files[path] = _read(os.path.join(folder, path))
                _add_imports(folder, files[path], files)
