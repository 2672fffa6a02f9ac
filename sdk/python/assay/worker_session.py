"""A worker's conversation with the broker without any socket, clock or thread: told what arrived, what a handler
finished and what time it is, it says what to send, what to start and what to stop.

An attempt is held from TASKS until its report is recorded; every heartbeat and every greeting names all that is held,
which renews the leases and, after an outage, lets the broker decide what is still ours."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from assay import wire
from assay.errors import AssayError

_SILENCE_BEFORE_WELCOME = 3.0
_REPORTS_AT_ONCE_BYTES = 8 << 20
_NOT_LET_IN = ("unsupported_version", "refused", "invalid_name", "invalid_hello")
Held = tuple[str, int]  # a task's id and the attempt


@dataclass
class _Attempt:
    report: wire.Fields | None = None  # what its handler said, until it is recorded
    sent_at: float = -1e9


@dataclass
class Effects:
    """What the shell must do next, in this order."""

    fresh_socket: bool = False
    send: list[tuple[str, wire.Fields]] = field(default_factory=list)
    start: list[wire.Fields] = field(default_factory=list)
    stop: list[tuple[Held, str]] = field(default_factory=list)  # why: cancelled or lost


class WorkerSession:
    """Thread: one at a time. Times are seconds of any steady clock."""

    def __init__(self, name: str, queues: list[str], slots: int, labels: dict[str, str]) -> None:
        self.name = name
        self.error: AssayError | None = None  # the broker will never let this worker in
        self.greeted = False
        self.draining = False
        self.running = 0  # handlers, those of lost attempts too
        self._queues = queues
        self._slots = slots
        self._labels = labels
        self._heartbeat_every = 1.0
        self._lease = _SILENCE_BEFORE_WELCOME
        self._held: dict[Held, _Attempt] = {}
        self._lost_running: set[Held] = set()
        self._effects = Effects()
        self._hello_sent = False
        self._ever_greeted = False
        self._heard_at: float | None = None
        self._sent_at = 0.0
        self._progress: deque[wire.Fields] = deque()

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def take_effects(self) -> Effects:
        effects, self._effects = self._effects, Effects()
        return effects

    def wake_at(self, now: float) -> float:
        return min(self._sent_at + self._heartbeat_every, (self._heard_at or now) + self._lease, now + 1.0)

    def drain(self) -> None:
        """Takes nothing new from now on."""
        self.draining = True
        self._sent_at = 0.0

    def on_message(self, name: str, fields: wire.Fields, now: float) -> None:
        self._heard_at = now
        if name == "WELCOME":
            self._heartbeat_every = fields["heartbeat_every"] / 1000
            self._lease = fields["lease"] / 1000
            self.greeted = self._ever_greeted = True
            self._drop(fields["drop"])
            for attempt in self._held.values():
                attempt.sent_at = -1e9
        elif name == "TASKS":
            self._on_tasks(fields["tasks"])
        elif name == "RECORDED":
            for held in fields["recorded"] + fields["stale"]:
                self._held.pop((held["id"], held["attempt"]), None)
        elif name == "STOP":
            for held in fields["cancel"]:
                self._effects.stop.append(((held["id"], held["attempt"]), "cancelled"))
            self._drop(fields["drop"])
        elif name == "ERROR":
            self._on_error(fields)

    def on_finished(self, held: Held, report: wire.Fields) -> None:
        """A handler has returned."""
        self.running -= 1
        self._lost_running.discard(held)
        if held in self._held:
            self._held[held].report = report

    def on_progress(self, reports: list[wire.Fields]) -> None:
        self._progress.extend(report for report in reports if (report["id"], report["attempt"]) in self._held)

    def on_time(self, now: float) -> None:
        if self._heard_at is None:
            self._heard_at = now
        if now - self._heard_at >= self._lease:
            self._effects.fresh_socket = True
            self._heard_at = now
            self.greeted = self._hello_sent = False
            self._effects.send.clear()
        if not self.greeted:
            if not self._hello_sent:
                self._send("WORKER_HELLO", {
                    "version_min": wire.VERSION, "version_max": wire.VERSION, "name": self.name, "queues": self._queues,
                    "slots": max(1, self._slots), "labels": self._labels, "holding": self._holding()}, now)
                self._hello_sent = True
            return
        if self._progress:
            reports = [self._progress.popleft() for _ in range(min(1000, len(self._progress)))]
            self._send("PROGRESS", {"reports": reports}, now)
        self._send_reports(now)
        if now - self._sent_at >= self._heartbeat_every or self._sent_at == 0.0:
            slots = 0 if self.draining else max(0, self._slots - len(self._lost_running))
            self._send("HEARTBEAT", {"slots": slots, "holding": self._holding()}, now)

    def goodbye(self, now: float) -> None:
        if self.greeted:
            self._send("GOODBYE", {}, now)

    # ── inside ──

    def _holding(self) -> list[wire.Fields]:
        return [{"id": task, "attempt": attempt} for task, attempt in self._held]

    def _send(self, name: str, fields: wire.Fields, now: float) -> None:
        self._effects.send.append((name, fields))
        if name in ("HEARTBEAT", "WORKER_HELLO"):
            self._sent_at = now  # what renews the leases

    def _send_reports(self, now: float) -> None:
        due, size = [], 0
        for attempt in self._held.values():
            if attempt.report is None or now - attempt.sent_at < self._heartbeat_every:
                continue
            size += len(attempt.report.get("result", b"")) + 256
            if due and size > _REPORTS_AT_ONCE_BYTES:
                break
            attempt.sent_at = now
            due.append(attempt.report)
        if due:
            self._send("REPORT", {"reports": due}, now)

    def _on_tasks(self, tasks: list[wire.Fields]) -> None:
        for task in tasks:
            held = (task["id"], task["attempt"])
            if held not in self._held:
                self._held[held] = _Attempt()
                self.running += 1
                self._effects.start.append(task)

    def _drop(self, attempts: list[wire.Fields]) -> None:
        for each in attempts:
            held = (each["id"], each["attempt"])
            attempt = self._held.pop(held, None)
            if attempt is not None and attempt.report is None:
                self._lost_running.add(held)
                self._effects.stop.append((held, "lost"))

    def _on_error(self, fields: wire.Fields) -> None:
        if fields["reason"] == "hello_first":
            self.greeted = self._hello_sent = False
        elif fields["reason"] in _NOT_LET_IN and not self._ever_greeted:
            self.error = AssayError(fields["code"], fields["reason"], fields["message"])
        elif not self.greeted:
            self._hello_sent = False  # asked again when the silence is over
