"""An HTTPS server for tests: asks for a client certificate, answers with its name. Writes its port to --ready-fd."""

import http.server
import os
import ssl
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        certificate = self.connection.getpeercert() or {}
        names = dict(pair for part in certificate.get("subject", ()) for pair in part)
        body = names.get("commonName", "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(FOLDER, "server.pem"), os.path.join(FOLDER, "server.key"))
context.load_verify_locations(os.path.join(FOLDER, "ca.pem"))
context.verify_mode = ssl.CERT_OPTIONAL
server.socket = context.wrap_socket(server.socket, server_side=True)
with os.fdopen(int(sys.argv[sys.argv.index("--ready-fd") + 1]), "w") as ready:
    ready.write(f"{server.server_address[1]}\n")
server.serve_forever()
