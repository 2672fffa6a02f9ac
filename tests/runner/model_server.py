"""The stand-in of examples/ behind a Unix socket, as the worker grants endpoints to a sandbox."""

import importlib.util
import os
import shutil
import socketserver
import tempfile
import threading

from fake_harness import SOURCE


def load_file(path, name):
    """A Python file as a module, without leaving a cache beside it."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stand_in = load_file(os.path.join(SOURCE, "examples", "openai_stand_in.py"), "openai_stand_in")


class ModelServer:
    """A context manager; `path` is the socket, `requests` what was asked: (path, body)."""

    def __init__(self, answers=()):
        """`answers`: (status, headers, body bytes) to give first, before the stand-in's own."""
        self.folder = tempfile.mkdtemp(prefix="assay-model-")
        self.path = os.path.join(self.folder, "example.sock")
        self.requests = requests = []
        pending = list(answers)

        class Handler(stand_in.Handler):
            def address_string(self):
                return "unix"

            def do_POST(self):
                size = int(self.headers.get("Content-Length") or 0)
                if not pending:
                    body = self.rfile.peek(size)[:size]
                    requests.append((self.path, body))
                    return super().do_POST()
                requests.append((self.path, self.rfile.read(size)))
                status, headers, body = pending.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(self.path, Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        shutil.rmtree(self.folder)

    @property
    def job(self):
        """The keys of a job that grant it."""
        return {"endpoints": {"example": self.path}, "endpoint": "example"}
