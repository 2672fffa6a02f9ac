"""Key files (docs/security.md) and how a socket uses them."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass

import zmq

from assay.errors import AssayError

_HEX = re.compile(r"[0-9a-fA-F]{64}\Z")


@dataclass(frozen=True)
class Keys:
    """What CURVE needs of a client."""

    public: bytes
    secret: bytes
    server: bytes

    def use(self, socket: zmq.Socket) -> None:
        socket.setsockopt(zmq.CURVE_SERVERKEY, self.server)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret)


def _words(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(65536)
    except OSError as error:
        message = f"cannot read the key file '{path}': {error.strerror}"
        raise AssayError("fix_input", "unreadable_file", message) from None
    words = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, colon, value = line.partition(":")
        if not colon:
            raise AssayError("fix_input", "invalid_key_file", f"{path}:{number}: expected a line 'word: value'")
        words[word.strip()] = value.strip()
    return words


def _key(path: str, words: dict[str, str], word: str) -> bytes:
    if not _HEX.match(words.get(word, "")):
        raise AssayError("fix_input", "invalid_key_file",
                         f"{path}: expected a line '{word}: ' with 64 hexadecimal digits, as 'assay keygen' writes it")
    return bytes.fromhex(words[word])


def read_keys(key_file: str, server_key: str) -> Keys | None:
    """The keys of a client, or None when neither is given. `server_key` is a NAME.pub or 64 hexadecimal digits."""
    if not key_file and not server_key:
        return None
    if not key_file or not server_key:
        raise AssayError("fix_input", "lacking_key",
                         "a key file of one's own and the broker's public key are needed together; 'assay keygen NAME' "
                         "makes the first, whoever runs the broker has the second")
    words = _words(key_file)
    status = os.stat(key_file)
    others = stat.S_IRWXO | (stat.S_IRWXG if status.st_uid == os.getuid() else stat.S_IWGRP | stat.S_IXGRP)
    if status.st_mode & others:
        raise AssayError("fix_input", "exposed_key",
                         f"the key file '{key_file}' can be read by others; make it yours alone: chmod 600 {key_file}")
    server = bytes.fromhex(server_key) if _HEX.match(server_key) else _key(server_key, _words(server_key), "public")
    return Keys(_key(key_file, words, "public"), _key(key_file, words, "secret"), server)
