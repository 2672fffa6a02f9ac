"""A producer's conversation with the broker without any socket or clock: told of messages and of the time, it says what
to send. The plain and the asyncio client are two shells around it."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable

from assay import wire
from assay.errors import AssayError, MalformedMessage

_IDS_AT_ONCE = 4096
_SILENCE_BEFORE_WELCOME = 3.0
_FATAL = ("unsupported_version", "refused")


class Call:
    """A request that is out, or its answer."""

    def __init__(self, name: str, fields: wire.Fields, now: float, timeout: float) -> None:
        self.name = name
        self.fields = fields
        self.began = now
        self.deadline = now + timeout
        self.send_at = now
        self.answer: wire.Fields | None = None
        self.error: AssayError | None = None
        self.on_done: Callable[[], None] | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def result(self) -> wire.Fields:
        if self.error is not None:
            raise self.error
        assert self.answer is not None
        return self.answer


class Session:
    """Thread: one at a time. Times are seconds of any steady clock."""

    def __init__(self, endpoint: str, name: str, call_timeout: float) -> None:
        self.endpoint = endpoint
        self.name = name
        self.call_timeout = call_timeout
        self.heartbeat_every = 1.0
        self.lease = _SILENCE_BEFORE_WELCOME
        self.greeted = False
        self.wants_fresh_socket = False
        self.broker = ""
        self.results: dict[str, wire.Fields] = {}  # of awaited tasks that have ended, until they are taken
        self.unknown: set[str] = set()
        self.on_ended: Callable[[str], None] | None = None  # an awaited task has ended, or is unknown
        self._next_request = 1
        self._calls: dict[int, Call] = {}
        self._pending: dict[str, int] = {}  # awaited id → the AWAIT that follows it
        self._awaits: dict[int, int] = {}  # AWAIT → how many of its ids have not ended
        self._await_later: deque[str] = deque()
        self._await_at = 0.0  # not before
        self._out: deque[tuple[str, wire.Fields]] = deque()
        self._hello_sent: float | None = None
        self._last_sent = 0.0
        self._quiet_since = 0.0  # nothing was heard since, although something was waited for

    # ── what its user wants ──

    def call(self, name: str, fields: wire.Fields, now: float, timeout: float | None = None) -> Call:
        self._wake(now)
        call = Call(name, fields, now, self.call_timeout if timeout is None else timeout)
        request = self._take_number()
        fields["request"] = request
        self._calls[request] = call
        return call

    def connect(self, now: float) -> Call:
        """A call that is answered as soon as the broker has greeted."""
        self._wake(now)
        call = Call("", {}, now, self.call_timeout)
        if self.greeted:
            call.answer = {}
        else:
            self._calls[self._take_number()] = call
        return call

    def await_ids(self, ids: list[str], now: float) -> None:
        """From now on `results` gets each of these when it has ended."""
        self._wake(now)
        for task in ids:
            if task not in self._pending and task not in self.results:
                self.unknown.discard(task)
                self._pending[task] = 0
                self._await_later.append(task)

    def forget(self, ids: list[str]) -> None:
        """These results are not wanted any more."""
        for task in ids:
            self.results.pop(task, None)
            self._end_wait(task)

    @property
    def waits(self) -> bool:
        return bool(self._calls or self._pending)

    # ── what happens ──

    def on_message(self, name: str, fields: wire.Fields, now: float) -> None:
        self._quiet_since = now
        if name == "WELCOME":
            self._on_welcome(fields, now)
        elif name == "ERROR":
            self._on_error(fields, now)
        elif "request" in fields and (call := self._calls.get(fields["request"])) is not None:
            call.answer = fields
            self._finish(fields["request"])
        elif name == "RESULTS":
            self._on_results(fields)

    def on_time(self, now: float) -> None:
        for request, call in list(self._calls.items()):
            if now >= call.deadline:
                call.error = self._too_late(call)
                self._finish(request)
        if not self.waits:
            return
        if now - self._quiet_since >= self.lease:
            self.wants_fresh_socket = True
            self._quiet_since = now
            self._greet_again()
        if not self.greeted:
            if self._hello_sent is None:
                versions = {"version_min": wire.VERSION, "version_max": wire.VERSION}
                self._send("CLIENT_HELLO", {**versions, "name": self.name}, now)
                self._hello_sent = now
            return
        self._send_awaits(now)
        for call in self._calls.values():
            if call.name and now >= call.send_at:
                call.send_at = call.deadline + 1
                self._send(call.name, call.fields, now)
        if now - self._last_sent >= self.heartbeat_every:
            self._send("HEARTBEAT", {}, now)

    def wake_at(self, now: float) -> float:
        """When on_time is due at the latest."""
        times = [call.deadline for call in self._calls.values()]
        if self.greeted:
            times += [call.send_at for call in self._calls.values() if call.name]
            times.append(self._last_sent + self.heartbeat_every)
        times.append(self._quiet_since + self.lease)
        return max(now, min(times))

    def take_outgoing(self) -> list[tuple[str, wire.Fields]]:
        out = list(self._out)
        self._out.clear()
        return out

    def cannot_be_sent(self, fields: wire.Fields, error: AssayError) -> None:
        request = fields.get("request", 0)
        if request in self._calls:
            self._calls[request].error = error
            self._finish(request)

    # ── inside ──

    def _take_number(self) -> int:
        self._next_request += 1
        return self._next_request - 1

    def _wake(self, now: float) -> None:
        if not self.waits:
            self._quiet_since = now

    def _send(self, name: str, fields: wire.Fields, now: float) -> None:
        self._out.append((name, fields))
        self._last_sent = now

    def _greet_again(self) -> None:
        self.greeted = False
        self._hello_sent = None
        self._out.clear()

    def _on_welcome(self, fields: wire.Fields, now: float) -> None:
        self.heartbeat_every = fields["heartbeat_every"] / 1000
        self.lease = fields["lease"] / 1000
        self.broker = fields["broker"]
        if self.greeted:
            return
        self.greeted = True
        for request, call in list(self._calls.items()):
            if call.name:
                call.send_at = now if call.send_at > call.deadline else call.send_at
            else:
                call.answer = {}
                self._finish(request)
        self._awaits.clear()
        self._await_later = deque(self._pending)
        for task in self._pending:
            self._pending[task] = 0

    def _on_error(self, fields: wire.Fields, now: float) -> None:
        reason = fields["reason"]
        if reason == "hello_first":
            if self.greeted:
                self._greet_again()
            return
        error = AssayError(fields["code"], reason, fields["message"], fields["retry_after"] / 1000)
        if not self.greeted and reason in _FATAL:
            for request, call in list(self._calls.items()):
                call.error = error
                self._finish(request)
            self._hello_sent = None
            return
        call = self._calls.get(fields["request"])
        if call is None:
            self._retry_await(fields["request"], now)
            return
        again = now + max(error.retry_after, 0.05)
        if error.code in ("retry_later", "retry_call") and again < call.deadline:
            call.send_at = again
            return
        call.error = error
        self._finish(fields["request"])

    def _retry_await(self, request: int, now: float) -> None:
        """A refused AWAIT (too many for this client): its ids are asked for again a little later, as others end."""
        if request in self._awaits:
            del self._awaits[request]
            again = [task for task, which in self._pending.items() if which == request]
            self._pending.update((task, 0) for task in again)
            self._await_later.extend(again)
            self._await_at = now + 1.0

    def _on_results(self, fields: wire.Fields) -> None:
        for result in fields["results"]:
            if self._end_wait(result["id"]):
                self.results[result["id"]] = result
                self._tell(result["id"])
        for task in fields["unknown"]:
            if self._end_wait(task):
                self.unknown.add(task)
                self._tell(task)

    def _end_wait(self, task: str) -> bool:
        request = self._pending.pop(task, None)
        if request is None:
            return False
        if request in self._awaits:
            self._awaits[request] -= 1
            if self._awaits[request] == 0:
                del self._awaits[request]
        return True

    def _tell(self, task: str) -> None:
        if self.on_ended is not None:
            self.on_ended(task)

    def _send_awaits(self, now: float) -> None:
        while self._await_later and now >= self._await_at:
            part = []
            while self._await_later and len(part) < _IDS_AT_ONCE:
                task = self._await_later.popleft()
                if self._pending.get(task) == 0:
                    part.append(task)
            if not part:
                return
            request = self._take_number()
            for task in part:
                self._pending[task] = request
            self._awaits[request] = len(part)
            self._send("AWAIT", {"request": request, "ids": part}, now)

    def _too_late(self, call: Call) -> AssayError:
        waited = f"within {call.deadline - call.began:.1f} s"
        if self.greeted and self._quiet_since > call.began:
            return AssayError("retry_call", "no_answer",
                              f"the broker at {self.endpoint} lives, but gave no answer {waited}")
        return AssayError("retry_call", "broker_unreachable", f"no broker answered at {self.endpoint} {waited}; is it "
                          "running, is this its clients' port, and does it ask for keys?")

    def _finish(self, request: int) -> None:
        call = self._calls.pop(request)
        if call.on_done is not None:
            call.on_done()


def drive(session: Session, dealer: Any, now: float) -> None:
    """One turn of a shell: says what is due over `dealer`."""
    session.on_time(now)
    if session.wants_fresh_socket:
        session.wants_fresh_socket = False
        dealer.reopen()
    for name, fields in session.take_outgoing():
        try:
            dealer.send(name, fields)
        except (AssayError, MalformedMessage) as error:
            session.cannot_be_sent(fields, error)
