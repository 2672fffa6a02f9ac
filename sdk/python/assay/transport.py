"""A DEALER socket that sends and receives messages; what it can't send or read is as good as lost on the way."""

from __future__ import annotations

import zmq

from assay import wire
from assay.errors import AssayError, MalformedMessage
from assay.keys import Keys

RECONNECT_MS = 50
RECONNECT_MS_MAX = 1000


def open_socket(context: zmq.Context, kind: int, endpoint: str, keys: Keys | None) -> zmq.Socket:
    """A connected socket. Raises AssayError for an endpoint that is none."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MS_MAX)
    socket.setsockopt(zmq.MAXMSGSIZE, wire.MESSAGE_BYTES_MAX)
    if kind == zmq.DEALER:
        socket.setsockopt(zmq.RCVHWM, 0)  # what arrives was asked for
    if keys is not None:
        keys.use(socket)
    try:
        socket.connect(endpoint)
    except (zmq.ZMQError, TypeError) as error:
        socket.close()
        raise AssayError("fix_input", "invalid_endpoint", f"cannot connect to {endpoint!r}: {error}; "
                         "expected an address like tcp://127.0.0.1:5555") from None
    return socket


class Dealer:
    """Thread: one at a time."""

    def __init__(self, endpoint: str, keys: Keys | None) -> None:
        self._context = zmq.Context()
        self._endpoint = endpoint
        self._keys = keys
        try:
            self.socket = open_socket(self._context, zmq.DEALER, endpoint, keys)
        except AssayError:
            self._context.term()
            raise

    @property
    def closed(self) -> bool:
        return bool(self._context.closed)

    def reopen(self) -> None:
        """Another connection: what waits in the old one is never sent."""
        self.socket.close(0)
        self.socket = open_socket(self._context, zmq.DEALER, self._endpoint, self._keys)

    def send(self, name: str, fields: wire.Fields) -> None:
        """Raises MalformedMessage or `message_too_large` for what can never be sent."""
        header, payload = wire.encode(name, fields)
        if len(header) + len(payload) > wire.MESSAGE_BYTES_MAX:
            raise AssayError("fix_input", "message_too_large", f"{name} takes {len(payload)} bytes, the limit is "
                             f"{wire.MESSAGE_BYTES_MAX}; send fewer tasks at once or smaller bodies")
        try:
            self.socket.send_multipart([header, payload], zmq.DONTWAIT)
        except zmq.ZMQError:
            pass

    def receive(self) -> tuple[str, wire.Fields] | None:
        """The next message that can be read, or None when none is there."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.ZMQError:
                return None
            if len(frames) != 2:
                continue
            try:
                return wire.decode(frames[0], frames[1])
            except MalformedMessage:
                continue

    def close(self, linger_ms: int = 0) -> None:
        self.socket.close(linger_ms)
        self._context.term()
