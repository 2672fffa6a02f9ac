"""Messages to bytes and back, by the table in `schema`. Strict in both directions: a mistake is a MalformedMessage.

A message is here its name and a dict: ids are text ("" when absent), enumerations their words, times and durations
milliseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgpack

from assay import ids
from assay.errors import MalformedMessage
from assay.schema import SCHEMA

Fields = dict[str, Any]

MAGIC = b"ASSAY"
VERSION = 1
MESSAGE_BYTES_MAX = 17 << 20
BODY_BYTES_MAX = 16 << 20
TEXT_BYTES_MAX = 64 << 10
LIST_ITEMS_MAX = 10_000
LABELS_MAX = 64
LABEL_KEY_BYTES_MAX = 128
LABEL_VALUE_BYTES_MAX = 1024
UINT64_MAX = 2**64 - 1
_NESTING_MAX = 16
_ABSENT = object()
_REQUIRED = object()
_NAME = re.compile(rb"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}\Z")
_INTEGERS = {"u8": 2**8 - 1, "u32": 2**32 - 1, "u64": UINT64_MAX, "time": 253402300799999, "duration": 10**12}

ENUMERATIONS: dict[str, tuple[str, ...]] = {
    "state": ("waiting", "queued", "running", "succeeded", "failed", "dead", "cancelled"),
    "cause": ("none", "task", "infrastructure", "limit", "safety"),
    "outcome": ("succeeded", "failed", "retry", "cancelled", "snooze", "hand_over"),
    "kind": ("state", "progress", "log", "worker", "safety", "queue", "dead"),
    "on_failure": ("cancel", "run"),
    "usage_by": ("owner", "queue"),
    "code": ("", "retry_call", "retry_later", "fix_input", "not_found", "conflict", "exhausted", "data_loss",
             "internal"),
    "operation": ("pause_queue", "resume_queue", "purge_queue", "drain_worker", "retry_dead", "drop_dead",
                  "release_quarantine", "forget_ended", "pin", "unpin"),
}


def valid_name(text: str) -> bool:
    """Whether `text` can be the name of a queue, an owner or a worker."""
    return _NAME.match(text.encode()) is not None


@dataclass(frozen=True)
class Key:
    """One key of a message."""

    name: str
    type: str
    initial: Any  # _REQUIRED, _ABSENT, or the value that is left out


def _initial(type_: str, text: str) -> Any:
    if type_.startswith("["):
        return []
    if type_ == "map" or type_.startswith("*"):
        return {}
    if type_ == "bytes":
        return b""
    if type_ == "bool":
        return text == "true"
    if type_ in _INTEGERS or type_ == "number":
        return int(text)
    return text


def _key(text: str) -> Key:
    name, rest = text.split(":", 1)
    if rest.endswith("?"):
        return Key(name, rest[:-1], _ABSENT)
    if "=" not in rest:
        return Key(name, rest, _REQUIRED)
    type_, initial = rest.split("=", 1)
    return Key(name, type_, _initial(type_, initial))


def _read_schema() -> tuple[dict[str, tuple[Key, ...]], dict[str, int]]:
    structs, numbers = {}, {}
    for line in re.sub(r"\n +", " ", SCHEMA).strip().split("\n"):
        head, _, keys = line.partition("|")
        name, *number = head.split()
        structs[name] = tuple(_key(key) for key in keys.split())
        if number:
            numbers[name] = int(number[0])
    return structs, numbers


STRUCTS, NUMBERS = _read_schema()
NAMES = {number: name for name, number in NUMBERS.items()}


# ── to bytes ──


def encode(name: str, fields: Fields) -> tuple[bytes, bytes]:
    """The two frames of a message."""
    header = MAGIC + bytes([VERSION]) + NUMBERS[name].to_bytes(2, "big")
    return header, encode_struct(name, fields)


def encode_struct(name: str, fields: Fields) -> bytes:
    value = _to_wire_struct(name, fields, name)
    return bytes(msgpack.packb(value, use_bin_type=True, unicode_errors="surrogateescape"))


def _to_wire_struct(struct: str, fields: Fields, place: str) -> Fields:
    out = {}
    for key in STRUCTS[struct]:
        value = fields.get(key.name, _ABSENT)
        if value is _ABSENT or value is None:
            if key.initial is _REQUIRED:
                raise MalformedMessage(f"{place}: {key.name}: expected a value, found none")
            continue
        wire = _to_wire(key.type, value, f"{place}: {key.name}" if place == struct else f"{place}.{key.name}")
        if key.initial not in (_REQUIRED, _ABSENT) and _is_initial(key, value, wire):
            continue
        out[key.name] = wire
    unknown = set(fields) - {key.name for key in STRUCTS[struct]}
    if unknown:
        raise MalformedMessage(f"{place}: there is no key {sorted(unknown)[0]}")
    return out


def _is_initial(key: Key, value: Any, wire: Any) -> bool:
    if key.type.startswith("*"):
        return not wire
    return bool(value == key.initial) or (key.type == "id" and value == ids.NONE)


def _to_wire(type_: str, value: Any, place: str) -> Any:
    if type_.startswith("["):
        if not isinstance(value, (list, tuple)):
            raise _wrong(place, "a list", value)
        if len(value) > LIST_ITEMS_MAX:
            raise MalformedMessage(f"{place}: expected at most {LIST_ITEMS_MAX} items, found {len(value)}")
        return [_to_wire(type_[1:-1], item, f"{place}[{index}]") for index, item in enumerate(value)]
    if type_.startswith("*"):
        return _to_wire_struct(type_[1:], value, place)
    if type_ == "id":
        try:
            return ids.bytes_of(value) if value else bytes(16)
        except (ValueError, AttributeError):
            raise _wrong(place, "a task's id", value) from None
    if type_ in ENUMERATIONS:
        if value not in ENUMERATIONS[type_]:
            raise _wrong(place, "one of " + ", ".join(ENUMERATIONS[type_]), value)
        return ENUMERATIONS[type_].index(value)
    return _checked(type_, value, place)


# ── from bytes ──


def decode(header: bytes, payload: bytes) -> tuple[str, Fields]:
    """A message's name and fields. Raises MalformedMessage."""
    if len(header) != 8 or not header.startswith(MAGIC):
        raise MalformedMessage("expected the header of an ASSAY message")
    name = NAMES.get(int.from_bytes(header[6:], "big"))
    if name is None:
        raise MalformedMessage(f"message {int.from_bytes(header[6:], 'big')} is not known to this version")
    return name, decode_struct(name, payload)


def decode_struct(name: str, payload: bytes) -> Fields:
    if len(payload) > MESSAGE_BYTES_MAX:
        raise MalformedMessage(f"{name}: expected at most {MESSAGE_BYTES_MAX} bytes, found {len(payload)}")
    try:
        value = msgpack.unpackb(payload, raw=False, unicode_errors="surrogateescape", strict_map_key=False,
                                object_pairs_hook=_pairs)
    except MalformedMessage:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise MalformedMessage(f"{name}: expected one msgpack map, found {error or type(error).__name__}") from None
    return _from_wire_struct(name, value, name)


def _pairs(pairs: list[tuple[Any, Any]]) -> Fields:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise MalformedMessage("a key is there twice")
    return out


def _from_wire_struct(struct: str, value: Any, place: str) -> Fields:
    if not isinstance(value, dict):
        raise _wrong(place, "a map", value)
    out = {}
    for key in STRUCTS[struct]:
        found = value.pop(key.name, None)
        if found is None:
            if key.initial is _REQUIRED:
                raise MalformedMessage(f"{place}: {key.name}: expected a value, found none")
            out[key.name] = None if key.initial is _ABSENT else _default(key)
        else:
            inner = f"{place}: {key.name}" if place == struct else f"{place}.{key.name}"
            out[key.name] = _from_wire(key.type, found, inner)
    for unknown, rest in value.items():
        if not isinstance(unknown, str) or _depth(rest) > _NESTING_MAX:
            raise MalformedMessage(f"{place}: {unknown!r}: expected a key of text and no more than 16 levels below it")
    return out


def _default(key: Key) -> Any:
    if key.type.startswith("*"):
        return _from_wire_struct(key.type[1:], {}, key.name)
    return type(key.initial)(key.initial)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _from_wire(type_: str, value: Any, place: str) -> Any:
    if type_.startswith("["):
        if not isinstance(value, list):
            raise _wrong(place, "a list", value)
        if len(value) > LIST_ITEMS_MAX:
            raise MalformedMessage(f"{place}: expected at most {LIST_ITEMS_MAX} items, found {len(value)}")
        return [_from_wire(type_[1:-1], item, f"{place}[{index}]") for index, item in enumerate(value)]
    if type_.startswith("*"):
        return _from_wire_struct(type_[1:], value, place)
    if type_ == "id":
        if not isinstance(value, bytes) or len(value) != 16:
            raise _wrong(place, "a task's id of 16 bytes", value)
        return ids.text_of(value) if any(value) else ""
    if type_ in ENUMERATIONS:
        words = ENUMERATIONS[type_]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(words):
            raise _wrong(place, f"a number from 0 to {len(words) - 1}", value)
        return words[value]
    return _checked(type_, value, place)


# ── what both check ──


def _checked(type_: str, value: Any, place: str) -> Any:
    if type_ in _INTEGERS:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _INTEGERS[type_]:
            raise _wrong(place, f"an integer from 0 to {_INTEGERS[type_]}", value)
    elif type_ == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(place, "a number", value)
    elif type_ == "bool":
        if not isinstance(value, bool):
            raise _wrong(place, "true or false", value)
    elif type_ == "bytes":
        if not isinstance(value, bytes) or len(value) > BODY_BYTES_MAX:
            raise _wrong(place, f"at most {BODY_BYTES_MAX} bytes", value)
    elif type_ == "map":
        _check_labels(value, place)
    else:
        _check_text(type_, value, place)
    return value


def _check_text(type_: str, value: Any, place: str) -> None:
    raw = value.encode(errors="surrogateescape") if isinstance(value, str) else b""
    if not isinstance(value, str) or len(raw) > TEXT_BYTES_MAX:
        raise _wrong(place, f"a string of at most {TEXT_BYTES_MAX} bytes", value)
    if type_ == "name" and value and not _NAME.match(raw):
        raise _wrong(place, "a name of 1 to 64 of a-z A-Z 0-9 . _ -", value)


def _check_labels(value: Any, place: str) -> None:
    if not isinstance(value, dict) or len(value) > LABELS_MAX:
        raise _wrong(place, f"a map of at most {LABELS_MAX} texts", value)
    for label, text in value.items():
        if not isinstance(label, str) or len(label.encode(errors="surrogateescape")) > LABEL_KEY_BYTES_MAX:
            raise _wrong(place, f"labels of at most {LABEL_KEY_BYTES_MAX} bytes", label)
        if not isinstance(text, str) or len(text.encode(errors="surrogateescape")) > LABEL_VALUE_BYTES_MAX:
            raise _wrong(f"{place}[{label!r}]", f"a string of at most {LABEL_VALUE_BYTES_MAX} bytes", text)


def _wrong(place: str, expected: str, found: Any) -> MalformedMessage:
    shown = f"{len(found)} of them" if isinstance(found, (bytes, list, dict)) else repr(found)[:80]
    return MalformedMessage(f"{place}: expected {expected}, found {type(found).__name__} {shown}")
