"""A harness for tests: speaks the protocol of workers/eval/harness/README.md with a real runner.

No sandbox is around the runner here, so nothing in these tests may rest on one.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("ASSAY_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
)
RUNNER = os.path.join(SOURCE, "workers", "eval", "runner", "runner.py")
PATIENCE_SECONDS = 20.0


class FakeHarness:
    """Starts a runner in a folder of its own. Use as a context manager."""

    def __init__(self, files, sandbox=(), **job):
        self.sandbox = list(sandbox)  # a command to run the runner under
        self.folder = tempfile.mkdtemp(prefix="assay-runner-")
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)
        for path, content in files.items():
            self.write(path, content)
        self.job = dict(
            {
                "mode": "script",
                "entry": next(iter(files)),
                "submission": self.work,
                "endpoints": {},
                "endpoint": "",
                "model": "",
                "config": None,
                "arguments": [],
                "output_bytes_max": 1048576,
                "seed": 0,
                "outputs": [],
            },
            **job,
        )
        self.buffer, self.partials, self.progress, self.outputs = b"", [], [], {}

    def write(self, path, content):
        full = os.path.join(self.work, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def __enter__(self):
        path = os.path.join(self.folder, "harness.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(PATIENCE_SECONDS)
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self.sandbox_command() + [sys.executable, RUNNER, "--socket", path],
                cwd=self.work,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, PYTHONHASHSEED="0", TMPDIR=self.folder),
            )
        self.connection, _ = listener.accept()
        listener.close()
        self.connection.settimeout(PATIENCE_SECONDS)
        self.send({"type": "job", "protocol": 1, "job": self.job})
        return self

    def sandbox_command(self):
        return [self.folder if word == "FOLDER" else word for word in self.sandbox]

    def __exit__(self, *_):
        self.connection.close()
        self.process.wait(PATIENCE_SECONDS)
        shutil.rmtree(self.folder)

    def send(self, message):
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self):
        while b"\n" not in self.buffer:
            data = self.connection.recv(65536)
            if not data:
                raise EOFError("the runner hung up; its log:\n" + self.log())
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line.decode("utf-8"))

    def load(self):
        """The message that ends loading: `loaded` or `load_failed`."""
        return self.receive()

    def names(self):
        message = self.load()
        if message["type"] != "loaded":
            raise AssertionError(message)
        return [test["name"] for test in message["tests"]]

    def start(self, name):
        self.send({"type": "run", "test": name})

    def end_of(self, name):
        """The `result` or `ended` of a test; what comes before is in `partials` and `progress`."""
        while True:
            message = self.receive()
            if message["type"] == "partial":
                self.partials.append(message)
            elif message["type"] == "progress":
                self.progress.append(message)
            elif message["type"] in ("result", "ended") and message["test"] == name:
                return message
            else:
                raise AssertionError("not expected: %r" % message)

    def run(self, name):
        self.start(name)
        return self.end_of(name)

    def kill(self, name):
        self.send({"type": "kill", "test": name})
        return self.end_of(name)

    def finish(self):
        """Says finish, waits for the end; the outputs that came are in `outputs`."""
        self.send({"type": "finish"})
        while True:
            try:
                message = self.receive()
            except EOFError:
                return self.process.wait(PATIENCE_SECONDS)
            if message["type"] != "output":
                raise AssertionError("not expected: %r" % message)
            self.outputs[message["path"]] = base64.b64decode(message["content_base64"])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_file(self, path):
        """The content of a file that a test is to write, as soon as it has any."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with open(os.path.join(self.work, path)) as file:
                    content = file.read()
                if content.endswith("\n"):
                    return content.strip()
            except FileNotFoundError:
                pass
            time.sleep(0.005)
        raise AssertionError("%s was not written; the log:\n%s" % (path, self.log()))


def is_alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
