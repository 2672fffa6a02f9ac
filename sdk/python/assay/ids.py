"""Task ids: ULIDs (https://github.com/ulid/spec), in Python their text of 26 characters."""

from __future__ import annotations

import hashlib
import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
NONE = "0" * 26


def new_id() -> str:
    """An id that no other task has. Its beginning is the time, so ids sort by it."""
    return text_of((int(time.time() * 1000) % 2**48).to_bytes(6, "big") + os.urandom(10))


def derived_id(run: str, name: str) -> str:
    """The same id for the same run and name, whoever asks and whenever: a program that was killed and is run again with
    the run's id submits the same tasks, which the broker takes once. `run` is an id of new_id()."""
    first = bytes_of(run)
    return text_of(first[:6] + hashlib.sha256(first + name.encode()).digest()[:10])


def text_of(raw: bytes) -> str:
    """16 bytes as text."""
    number = int.from_bytes(raw, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def bytes_of(text: str) -> bytes:
    """Text, in either case, as 16 bytes. Raises ValueError for what is no id."""
    number = 0
    for character in text.upper():
        if character not in _VALUES:
            raise ValueError(f"expected a task's id, found {text!r}")
        number = number * 32 + _VALUES[character]
    if len(text) != 26 or number >= 1 << 128:
        raise ValueError(f"expected a task's id of 26 characters, found {text!r}")
    return number.to_bytes(16, "big")
