"""What users hold in their hands: tasks to submit, results, events, and what the broker knows."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Sequence, TypeVar, Union

from assay import display, ids, wire
from assay.errors import AssayError

Seconds = Union[int, float, timedelta]
Moment = Union[datetime, Seconds]  # seconds: so long from now
ENDED = ("succeeded", "failed", "dead", "cancelled")
_T = TypeVar("_T")


def milliseconds(duration: Seconds) -> int:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    return max(0, round(seconds * 1000))


def time_of(moment: Moment | None) -> int:
    """Milliseconds since 1970 of a date, or of so many seconds from now; 0 for None."""
    if moment is None:
        return 0
    if not isinstance(moment, datetime):
        moment = datetime.now(timezone.utc) + (moment if isinstance(moment, timedelta) else timedelta(seconds=moment))
    if moment.tzinfo is None:
        moment = moment.astimezone()
    return round(moment.timestamp() * 1000)


def date_of(at: int | None) -> datetime | None:
    """A date in UTC; None for 0 and None."""
    return datetime.fromtimestamp(at / 1000, timezone.utc) if at else None


def body_of(body: Any) -> bytes:
    """Bytes as they are, text as UTF-8, anything else as JSON."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body, ensure_ascii=False).encode()


def decoded(content: bytes) -> Any:
    """JSON as what it says, other UTF-8 as text, anything else as the bytes. None for nothing."""
    if not content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@dataclass
class TaskSpec:
    """A task to submit. `body` may be bytes, text, or anything that JSON can hold."""

    queue: str
    body: Any = b""
    id: str = field(default_factory=ids.new_id)
    owner: str = ""  # the client's own when empty
    priority: int = 5
    max_attempts: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[Any] = ()  # ids, specs or tasks that must end first; their results travel with it
    on_failure: str = "cancel"  # of one of those: cancel it, or run it all the same
    not_before: Moment | None = None
    deadline: Moment | None = None
    timeout: Seconds = 0  # of one attempt; 0: none
    backoff_first: Seconds = 1
    backoff_max: Seconds = 60
    cost: int = 1
    require: Mapping[str, str] = field(default_factory=dict)
    cache_key: str = ""
    cache_ttl: Seconds = 0
    traceparent: str = ""
    artifacts: Sequence[str] = ()

    def fields(self, owner: str) -> wire.Fields:
        """As SUBMIT carries it."""
        durations = ("timeout", "backoff_first", "backoff_max", "cache_ttl")
        fields = {key.name: getattr(self, key.name) for key in dataclasses.fields(self)}
        fields.update({name: milliseconds(fields[name]) for name in durations})
        fields.update(body=body_of(self.body), owner=self.owner or owner, after=[id_of(task) for task in self.after],
                      not_before=time_of(self.not_before), deadline=time_of(self.deadline), labels=dict(self.labels),
                      require=dict(self.require), artifacts=list(self.artifacts))
        if not wire.valid_name(fields["queue"]):
            raise AssayError("fix_input", "invalid_task",
                             f"queue: expected 1 to 64 of a-z A-Z 0-9 . _ -, found {self.queue!r}")
        return fields


def id_of(task: Any) -> str:
    """The id of an id, a spec, a task, a result or an event."""
    if isinstance(task, str):
        return task.upper()
    for name in ("id", "task"):
        value = getattr(task, name, None)
        if isinstance(value, str):
            return value
    raise AssayError("fix_input", "invalid_id", f"expected a task or its id, found {type(task).__name__}")


@dataclass(frozen=True)
class Usage:
    """What a run took."""

    cpu_seconds: float = 0
    memory_byte_seconds: float = 0
    gpu_seconds: float = 0
    wall_seconds: float = 0


@dataclass(frozen=True)
class Result:
    """How a task ended."""

    id: str
    state: str  # succeeded, failed, dead or cancelled
    cause: str = "none"  # task, infrastructure, limit or safety when it did not succeed
    reason: str = ""
    attempt: int = 0
    ended_at: datetime | None = None
    content: bytes = b""  # as the worker gave it
    usage: Usage = Usage()
    cached_from: str = ""
    artifacts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.state == "succeeded"

    @property
    def value(self) -> Any:
        """The content: JSON as what it says, else text, else bytes."""
        return decoded(self.content)

    @property
    def document(self) -> dict[str, Any]:
        """Of an evaluation, its result document (docs/results.md); of anything else {}."""
        value = self.value
        return value if isinstance(value, dict) else {}

    @property
    def passed(self) -> bool:
        """Of an evaluation: whether it passed. Of anything else: whether it succeeded."""
        return self.ok and self.document.get("status", "passed") == "passed"

    @property
    def scores(self) -> dict[str, Any]:
        """Of an evaluation: `count`, `mean`, `min` and `max` over all its tests."""
        return dict(self.document.get("scores") or {})

    @property
    def tests(self) -> list[dict[str, Any]]:
        """Of an evaluation: every test with its outcome, score and reason."""
        return list(self.document.get("tests") or [])

    def _repr_html_(self) -> str:
        return display.result_html(self)


@dataclass(frozen=True)
class Event:
    """One event of the feed (docs/protocol.md section 8)."""

    sequence: int
    previous: int
    at: datetime | None
    kind: str  # state, progress, log, worker, safety, queue or dead
    queue: str
    task: str
    attempt: int
    state: str
    worker: str
    done: int
    total: int
    text: str
    previous_in_queue: int = 0

    @property
    def ended(self) -> bool:  # it says that its task has
        return self.kind == "state" and self.state in ENDED

    def __str__(self) -> str:
        return display.event_text(self)


@dataclass(frozen=True)
class AttemptInfo:
    attempt: int
    worker: str
    started_at: datetime | None
    ended_at: datetime | None
    ended_because: str
    cause: str = "none"
    usage: Usage = Usage()


@dataclass(frozen=True)
class TaskInfo:
    """What the broker knows of a task, its body and result left out."""

    id: str
    queue: str
    owner: str
    priority: int
    labels: dict[str, str]
    state: str
    cause: str
    reason: str
    submitted_at: datetime | None
    ended_at: datetime | None
    cancel_requested: bool
    position: int
    after: tuple[str, ...]
    attempts: tuple[AttemptInfo, ...]
    cached_from: str = ""
    usage: Usage = Usage()
    artifacts: tuple[str, ...] = ()
    pinned: bool = False

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def _repr_html_(self) -> str:
        return display.task_html(self)


@dataclass(frozen=True)
class QueueInfo:
    name: str
    queued: int
    running: int
    waiting: int
    oldest_seconds: float
    workers: int
    capacity: int
    paused: bool


@dataclass(frozen=True)
class WorkerInfo:
    name: str
    queues: tuple[str, ...]
    slots: int
    running: int
    silent_seconds: float
    joined_at: datetime | None
    labels: dict[str, str]
    draining: bool


@dataclass(frozen=True)
class Cancelled:
    """What became of a wish to cancel: ids."""
    cancelled: tuple[str, ...]
    requested: tuple[str, ...]
    ended: tuple[str, ...]
    unknown: tuple[str, ...]


class Listing(list[Any]):
    """A list that a notebook shows as a table. `complete` is false when there are more than were asked for."""

    complete = True

    def _repr_html_(self) -> str:
        return display.table_html(self)


def read(kind: type[_T], fields: wire.Fields) -> _T:
    """A value of this module from the fields of a message."""
    known = {key.name: key for key in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("at", "submitted_at", "started_at", "ended_at", "joined_at"):
            value = date_of(value)
        elif name == "attempts":
            value = tuple(read(AttemptInfo, each) for each in value)
        elif name == "usage":
            value = Usage(**value)
        elif isinstance(value, list):
            value = tuple(value)
        if name == "result":
            name = "content"
        if name in known:
            values[name] = value
    return kind(**values)
