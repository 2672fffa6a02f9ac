"""A real broker and a real assay-build for the tests beside this, and what they look at from outside."""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

BIN = Path(os.environ.get("ASSAY_BIN", "build/dev/bin"))
SOURCE = Path(os.environ.get("ASSAY_SOURCE", "."))
ENGINE = os.environ.get("DOCKER_HOST", "")
REGISTRY = os.environ.get("TESTBED_REGISTRY", "")
PATIENCE = 240
TASK_LABEL = "io.assay.build.task"


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(ENGINE.removeprefix("unix://"))


def engine(method, path):
    """What the engine answers, as JSON."""
    connection = UnixConnection("docker")
    connection.request(method, "/v1.41" + path)
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer) if answer else None


def left_on_engine():
    """Containers and networks that a build made and did not remove, and containers of steps that run."""
    label = urllib.request.quote(json.dumps({"label": [TASK_LABEL]}))
    running = [c for c in engine("GET", "/containers/json?all=1") if not c["Names"][0].startswith("/k8s_")]
    return engine("GET", f"/networks?filters={label}") + running


def digest_of(image, registry=REGISTRY):
    """The digest that the registry itself reports for NAME:TAG."""
    name, tag = image.rsplit(":", 1)
    request = urllib.request.Request(f"http://{registry}/v2/{name}/manifests/{tag}", method="HEAD", headers={
        "Accept": "application/vnd.docker.distribution.manifest.v2+json, "
                  "application/vnd.docker.distribution.manifest.list.v2+json"})
    with urllib.request.urlopen(request) as answer:
        return answer.headers["Docker-Content-Digest"]


class Door:
    """A port of its own in front of the registry that can be closed and opened again."""

    def __init__(self):
        self.port = None
        self.listener = None
        self.open()

    def open(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port or 0))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(peer,), daemon=True).start()

    @staticmethod
    def pass_on(peer):
        host, port = REGISTRY.rsplit(":", 1)
        with peer, socket.create_connection((host, int(port))) as server:
            ends = {peer: server, server: peer}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    try:
                        data = end.recv(1 << 16)
                        if not data:
                            return
                        ends[end].sendall(data)
                    except OSError:
                        return


class Setting:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="assay-docker-test-"))
        self.processes = []
        self.worker = None
        self.logs = [open(self.folder / "broker.log", "ab"), open(self.folder / "worker.log", "ab")]
        reading, writing = os.pipe()
        broker = subprocess.Popen(
            [BIN / "assay-broker", "--data-dir", self.folder / "broker", "--clients", "tcp://127.0.0.1:*", "--workers",
             "tcp://127.0.0.1:*", "--feed", "tcp://127.0.0.1:*", "--http", "127.0.0.1:0", "--ready-fd", str(writing)],
            pass_fds=[writing], stderr=self.logs[0])
        self.processes.append(broker)
        os.close(writing)
        with os.fdopen(reading) as ready:
            self.endpoints = json.loads(ready.readline())
        self.environment = dict(os.environ, ASSAY_BROKER=self.endpoints["clients"], ASSAY_FEED=self.endpoints["feed"])

    def start_worker(self, *flags, config=""):
        (self.folder / "build.yaml").write_text(config)
        self.worker = subprocess.Popen(
            [BIN / "assay-build", "--broker", self.endpoints["workers"], "--data-dir", self.folder / "worker",
             "--artifacts", self.folder / "artifacts", "--slots", "4", "--config", self.folder / "build.yaml", *flags],
            stderr=self.logs[1])
        return self.worker

    def kill_worker(self):
        self.worker.kill()
        self.worker.wait()

    def stop_worker(self):
        if self.worker and self.worker.poll() is None:
            self.worker.send_signal(signal.SIGTERM)
            self.worker.send_signal(signal.SIGTERM)
            try:
                self.worker.wait(30)
            except subprocess.TimeoutExpired:
                self.kill_worker()

    def assay(self, *arguments, check=None):
        done = subprocess.run([BIN / "assay", *map(str, arguments)], env=self.environment, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        if check is not None and done.returncode != check:
            raise AssertionError(f"assay {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}\n"
                                 + (self.folder / "worker.log").read_text()[-3000:])
        return done

    def submit(self, request):
        body = self.folder / "body.json"
        body.write_text(json.dumps(request))
        return self.assay("submit", "--queue", "build", "--body", body, check=0).stdout.strip()

    def result(self, task):
        """Waits for the end; the result document and the task's state."""
        self.assay("wait", task)
        answer = json.loads(self.assay("result", task, "--json").stdout)
        return json.loads(self.assay("result", task).stdout or "{}"), answer

    def wait_for_text(self, task, text):
        """Returns once the progress feed or the log of the task has said `text`."""
        watch = subprocess.Popen([BIN / "assay", "--json", "watch", task],
                                 env=self.environment, stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(PATIENCE, watch.kill)
        timer.start()
        try:
            for line in watch.stdout:
                if text in line:
                    return
            raise AssertionError(f"{task} never said {text!r}")
        finally:
            timer.cancel()
            watch.kill()
            watch.wait()
            watch.stdout.close()

    def end(self, failed):
        self.stop_worker()
        for process in self.processes:
            process.kill()
            process.wait()
        for log in self.logs:
            log.close()
        if failed:
            print(f"kept for a look: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
