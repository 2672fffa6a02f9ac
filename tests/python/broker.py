"""A real broker on free ports, killed and started again over the same data."""

import json
import os
import signal
import subprocess
import tempfile


class Broker:
    def __init__(self, *flags):
        self._folder = tempfile.TemporaryDirectory(prefix="assay-python-")
        self._flags = flags
        self._endpoints = {"clients": "tcp://127.0.0.1:*", "workers": "tcp://127.0.0.1:*", "feed": "tcp://127.0.0.1:*",
                           "http": "127.0.0.1:0"}
        self._process = None
        self.start()

    def start(self):
        """Where it was before."""
        reading, writing = os.pipe()
        command = [os.path.join(os.environ["ASSAY_BIN"], "assay-broker"),
                   "--data-dir", os.path.join(self._folder.name, "data"), "--ready-fd", str(writing)]
        for name, endpoint in self._endpoints.items():
            command += [f"--{name}", endpoint]
        with open(os.path.join(self._folder.name, "log"), "ab") as log:
            self._process = subprocess.Popen(command + list(self._flags), pass_fds=[writing], stdout=log, stderr=log)
        os.close(writing)
        with os.fdopen(reading) as ready:
            line = ready.readline()
        if not line:
            raise RuntimeError("the broker did not start: " + self.log())
        self._endpoints = {name: text for name, text in json.loads(line).items() if name in self._endpoints}
        self.clients, self.workers = self._endpoints["clients"], self._endpoints["workers"]
        self.feed = self._endpoints["feed"]

    def log(self):
        with open(os.path.join(self._folder.name, "log"), encoding="utf-8") as log:
            return log.read()

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def restart(self):
        self.kill()
        self.start()

    def close(self):
        self.kill()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
