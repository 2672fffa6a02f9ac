"""What the questions are asked with: a real assay-broker on free ports, and the load and limit programs beside it."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 120


class Rig:
    """Programs of one build, and a folder on the disk that is measured."""

    def __init__(self, bin_folder, folder):
        self.bin = Path(bin_folder).resolve()
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        return str(self.bin / name)

    def broker(self, *flags):
        return Broker(self, flags)

    def start(self, name, *flags):
        """A load or limit program; its one line of JSON is read with answer()."""
        command = [self.program(name), *map(str, flags)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def run(self, name, *flags):
        return answer(self.start(name, *flags))

    def run_lines(self, name, *flags):
        """A program that prints several figures."""
        output = subprocess.run([self.program(name), *map(str, flags)], stdout=subprocess.PIPE, check=True, text=True)
        return [json.loads(line) for line in output.stdout.splitlines()]

    def disk_limit(self, batch_bytes, seconds=1.0):
        return self.run("bench_disk_limit", "--file", self.folder / "bare", "--batch-bytes", int(batch_bytes),
                        "--seconds", seconds)


def answer(process):
    """Waits for the program's end and returns the line it printed."""
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    if process.returncode != 0:
        raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
    return json.loads(output)


def first_line(process):
    """The line that the program prints before its end."""
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args[0]} ended with {process.wait()}")
    return json.loads(line)


def stop(process):
    """Ends it in good order and returns the line it printed then."""
    process.send_signal(signal.SIGTERM)
    return answer(process)


def rate(answers):
    """Tasks a second of several producers that ran at once."""
    begin, end = min(a["begin"] for a in answers), max(a["end"] for a in answers)
    return sum(a["tasks"] for a in answers) / (end - begin)


class Broker:
    """A broker process. start() after kill() starts it again over the same data."""

    def __init__(self, rig, flags):
        self.rig = rig
        self.flags = list(map(str, flags))
        self.data = Path(tempfile.mkdtemp(prefix="data-", dir=rig.folder))
        self.log = self.data.with_suffix(".log")
        self.endpoints = {"clients": "tcp://127.0.0.1:*", "workers": "tcp://127.0.0.1:*",
                          "feed": "tcp://127.0.0.1:*", "http": "127.0.0.1:0"}
        self.process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def start(self):
        read, write = os.pipe()
        command = [self.rig.program("assay-broker"), "--data-dir", self.data, "--queues", "bench", "--log-level",
                   "warn", "--ready-fd", write]
        for name, endpoint in self.endpoints.items():
            command += ["--" + name, endpoint]
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([*map(str, command), *self.flags], pass_fds=[write], stdout=log, stderr=log)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as pipe:
            line = pipe.readline()
        if not line:
            raise RuntimeError("the broker did not start: " + self.log.read_text(encoding="utf-8"))
        self.endpoints = json.loads(line)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.endpoints['http']}{path}", timeout=10) as reply:
            return reply.read().decode()

    def wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.002)
        raise RuntimeError("the broker does not become ready")

    def metric(self, name):
        """The sum of a metric over its labels."""
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", self.get("/metrics"), re.MULTILINE)
        return sum(map(float, values))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def producers(self, count, **flags):
        """Several producers at once; their answers."""
        options = [word for name, value in flags.items() for word in ("--" + name.replace("_", "-"), value)]
        started = [self.rig.start("bench_producer", "--endpoint", self.endpoints["clients"], *options)
                   for _ in range(count)]
        return [answer(process) for process in started]

    def worker(self, **flags):
        options = [word for name, value in flags.items() for word in ("--" + name.replace("_", "-"), value)]
        return self.rig.start("bench_worker", "--endpoint", self.endpoints["workers"], *options)
