"""A git server over HTTP on loopback for tests: git_server.py --ready-fd N ROOT [USER:PASSWORD].

Serves the bare repositories below ROOT through git's own http-backend. With USER:PASSWORD it answers 401 to anybody
else. Tells its port in one line on the descriptor."""

import base64
import http.server
import os
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    root = ""
    credential = ""

    def log_message(self, *arguments):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.credential:
            wanted = "Basic " + base64.b64encode(self.credential.encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        path, _, query = self.path.partition("?")
        environment = dict(
            os.environ, GIT_PROJECT_ROOT=self.root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
            REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)), GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""), REMOTE_ADDR="127.0.0.1")
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True,
                                check=False).stdout
        head, _, rest = answer.partition(b"\r\n\r\n")
        status = 200
        headers = []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    do_GET = do_POST = serve


def main():
    arguments = sys.argv[1:]
    ready = -1
    if "--ready-fd" in arguments:
        at = arguments.index("--ready-fd")
        ready = int(arguments[at + 1])
        del arguments[at:at + 2]
    Handler.root = arguments[0]
    Handler.credential = arguments[1] if len(arguments) > 1 else ""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    os.write(ready if ready >= 0 else 1, f"{server.server_port}\n".encode())
    server.serve_forever()


main()
