#!/usr/bin/env python3
"""A stand-in for a model server: the OpenAI-compatible API, without a model behind it.

It knows a few capitals, can add and multiply, refuses what sounds harmful, and says back everything
else. Its answers never change, so examples and tests can rest on them. It measures nothing and
stands for no real model.

    python3 examples/openai_stand_in.py --port 0      # prints its URL; Ctrl-C ends it

    GET  /v1/models                  one model, "stand-in"
    POST /v1/chat/completions        answers the last message
    POST /v1/audio/transcriptions    a WAV file's comment ("ICMT"), without the word "the"
"""

import argparse
import json
import re
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "stand-in"
CAPITALS = {
    "france": "Paris",
    "japan": "Tokyo",
    "kenya": "Nairobi",
    "peru": "Lima",
    "norway": "Oslo",
    "australia": "Sydney",  # wrong, as models are at times: it is Canberra
}
HARMFUL = re.compile(
    r"bomb|nerve gas|ransom|malware|tricks? my|hurt (myself|someone)|unannounced|steal|"
    r"ignore all previous",
    re.I,
)


def answer_to(messages):
    """The answer to a conversation."""
    prompt = str(messages[-1].get("content", "")) if messages else ""
    if HARMFUL.search(prompt):
        return "I can't help with that."
    capital = re.search(r"capital of (\w+)", prompt, re.I)
    if capital:
        known = CAPITALS.get(capital.group(1).lower())
        return "The capital is %s." % known if known else "I do not know that country."
    sum_asked = re.search(r"(-?\d+)\s*([+*])\s*(-?\d+)", prompt)
    if sum_asked:
        left, operator, right = int(sum_asked.group(1)), sum_asked.group(2), int(sum_asked.group(3))
        return "It is %d." % (left + right if operator == "+" else left * right)
    return "You said: " + prompt


def transcript_of(audio):
    """The comment of a WAV file as the spoken text. "the" is never heard: an error to measure."""
    at, text = 12, ""
    while at + 8 <= len(audio):
        name, size = struct.unpack_from("<4sI", audio, at)
        if name == b"LIST":
            at += 12  # step into the list
            continue
        if name == b"ICMT":
            text = audio[at + 8 : at + 8 + size].rstrip(b"\0").decode("utf-8", "replace")
        at += 8 + size + size % 2
    return " ".join(word for word in text.split() if word.lower() != "the")


def form_fields(body, content_type):
    """The fields of a multipart form, as bytes."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    fields = {}
    for part in body.split(b"--" + boundary.group(1).encode())[1:-1] if boundary else []:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            fields[name.group(1).decode()] = content[:-2]
    return fields


class Handler(BaseHTTPRequestHandler):
    """One connection. `fail_every` n > 0: every n-th request is answered 429, to try retries."""

    fail_every = 0
    requests_seen = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif self.path == "/health":
            self.reply(200, {"status": "ok"})
        else:
            self.reply(404, {"error": {"message": "no such path: " + self.path}})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Handler.requests_seen += 1
        if self.fail_every and Handler.requests_seen % self.fail_every == 0:
            self.reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
        elif self.path == "/v1/chat/completions":
            self.chat(body)
        elif self.path == "/v1/audio/transcriptions":
            fields = form_fields(body, self.headers.get("Content-Type", ""))
            self.reply(200, {"text": transcript_of(fields.get("file", b""))})
        else:
            self.reply(404, {"error": {"message": "no such path: " + self.path}})

    def chat(self, body):
        try:
            messages = json.loads(body)["messages"]
            answer = answer_to(messages)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.reply(400, {"error": {"message": "expected a JSON object with messages"}})
            return
        asked = sum(len(str(message.get("content", "")).split()) for message in messages)
        said = len(answer.split())
        self.reply(
            200,
            {
                "id": "chatcmpl-stand-in",
                "object": "chat.completion",
                "model": MODEL,
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": answer},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {
                    "prompt_tokens": asked,
                    "completion_tokens": said,
                    "total_tokens": asked + said,
                },
            },
        )

    def reply(self, status, document, headers=None):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in dict(headers or {}, **{"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(
        description="A stand-in for a model server, for examples and tests."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
    parser.add_argument(
        "--fail-every", type=int, default=0, metavar="N", help="answer every N-th request with 429"
    )
    arguments = parser.parse_args()
    Handler.fail_every = arguments.fail_every
    server = ThreadingHTTPServer((arguments.host, arguments.port), Handler)
    server.daemon_threads = True
    print("http://%s:%d" % server.server_address[:2], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
