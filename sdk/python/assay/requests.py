"""Every question to the broker as a message and a way to read its answer; what both clients share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Generic, Iterable, Mapping, TypeVar

from assay import model, wire
from assay.errors import AssayError
from assay.model import Listing, Moment, TaskSpec, id_of, time_of

T = TypeVar("T")
SUBMIT_TASKS_MAX = 1000
SUBMIT_BYTES_MAX = 8 << 20


@dataclass
class Request(Generic[T]):
    """A message and how to read what answers it."""

    name: str
    fields: wire.Fields
    read: Callable[[wire.Fields], T]


def submit(tasks: Iterable[TaskSpec], owner: str) -> Request[list[str]]:
    """All of them or none; the answer is the ids of those that the broker had before."""
    return Request("SUBMIT", {"tasks": [task.fields(owner) for task in tasks]}, lambda answer: answer["duplicates"])


def parts(tasks: Iterable[TaskSpec]) -> Iterable[list[TaskSpec]]:
    """Tasks cut into what fits a message."""
    part: list[TaskSpec] = []
    size = 0
    for task in tasks:
        task.body = model.body_of(task.body)
        if part and (len(part) == SUBMIT_TASKS_MAX or size + len(task.body) > SUBMIT_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(task)
        size += len(task.body) + 256
    if part:
        yield part


def cancel(tasks: Iterable[Any], reason: str, with_dependents: bool) -> Request[model.Cancelled]:
    fields = {"ids": [id_of(task) for task in tasks], "reason": reason, "with_dependents": with_dependents}
    return Request("CANCEL", fields, lambda answer: model.read(model.Cancelled, answer))


def status(task: Any) -> Request[model.TaskInfo]:
    return Request("STATUS", {"id_prefix": id_of(task)}, lambda answer: model.read(model.TaskInfo, answer["task"]))


def explain(task: Any) -> Request[dict[str, Any]]:
    return Request("EXPLAIN", {"id_prefix": id_of(task)}, lambda answer: dict(answer["task"]))


def usage(by: str, since: Moment | None, until: Moment | None) -> Request[list[dict[str, Any]]]:
    fields = {"by": by, "since": time_of(since), "until": time_of(until)}
    return Request("USAGE", fields, lambda answer: list(answer["rows"]))


def _listing(kind: type[T], fields: list[wire.Fields], complete: bool = True) -> Listing:
    listing = Listing(model.read(kind, each) for each in fields)
    listing.complete = complete
    return listing


def queues() -> Request[Listing]:
    return Request("QUEUES", {}, lambda answer: _listing(model.QueueInfo, answer["queues"]))


def workers() -> Request[Listing]:
    return Request("WORKERS", {}, lambda answer: _listing(model.WorkerInfo, answer["workers"]))


def tasks(states: Iterable[str], queue: str, owner: str, since: Moment | None, until: Moment | None,
          labels: Mapping[str, str], limit: int, after: Any) -> Request[Listing]:
    fields = {"states": list(states), "queue": queue, "owner": owner, "since": time_of(since), "until": time_of(until),
              "labels": dict(labels), "limit": limit, "after": id_of(after) if after else ""}
    return Request("LIST", fields, lambda answer: _listing(model.TaskInfo, answer["tasks"], answer["complete"]))


def operate(operation: str, target: str, ids: Iterable[Any]) -> Request[int]:
    fields = {"operation": operation, "target": target, "ids": [id_of(task) for task in ids]}
    return Request("OPERATE", fields, lambda answer: int(answer["affected"]))


def events(fields: wire.Fields) -> Request[wire.Fields]:
    """Kept events, as the answer's fields."""
    return Request("EVENTS", fields, lambda answer: answer)


def results_now(ids: Iterable[Any]) -> Request[wire.Fields]:
    return Request("AWAIT", {"ids": [id_of(task) for task in ids], "follow": False}, lambda answer: answer)


def unknown_task(task: str) -> AssayError:
    return AssayError("not_found", "unknown_task", f"the broker knows no task {task}; either it was never submitted or "
                      "its result is not kept any more")
