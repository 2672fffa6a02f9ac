"""A Python function as a worker.

    def shout(task: assay.Assignment, context: assay.Context):
        context.progress(1, 2, "half way")
        return task.text.upper()

    assay.Worker(shout, queues=["shout"], slots=4).run()
"""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import re
import signal
import socket as sockets
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

import zmq

from assay import keys, model, wire
from assay.context import Context, Held
from assay.errors import AssayError, MalformedMessage
from assay.model import Seconds, Usage, milliseconds
from assay.outcome import Failure, HandOver, Outcome, Retry, Snooze, outcome_of
from assay.transport import Dealer
from assay.worker_session import WorkerSession

DEFAULT_WORKERS = "tcp://127.0.0.1:5556"
_QUIT_SECONDS = 10.0
_PROGRESS_EVERY = 0.1
__all__ = ["Assignment", "Context", "Failure", "HandOver", "Outcome", "Retry", "Snooze", "Worker"]


@dataclass(frozen=True)
class Input:
    """How a task ended that this one comes after."""

    id: str
    state: str
    content: bytes

    @property
    def value(self) -> Any:
        return model.decoded(self.content)


@dataclass(frozen=True)
class Assignment:
    """A task in the hands of a worker."""

    id: str
    attempt: int
    queue: str
    owner: str
    priority: int
    body: bytes
    timeout: float  # seconds after which this attempt counts as failed; 0: none
    inputs: tuple[Input, ...]
    resume: bool = False  # it began with another worker, which handed it over
    labels: Mapping[str, str] = model.field(default_factory=dict)
    traceparent: str = ""
    max_attempts: int = 1

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def value(self) -> Any:
        """The body: JSON as what it says, else text, else bytes."""
        return model.decoded(self.body)


Handler = Callable[[Assignment, Context], Any]


def _assignment(fields: wire.Fields) -> Assignment:
    inputs = tuple(Input(each["id"], each["state"], each["result"]) for each in fields["inputs"])
    return Assignment(**{**fields, "inputs": inputs, "timeout": fields["timeout"] / 1000})


def _own_name() -> str:
    host = re.sub(r"[^a-zA-Z0-9._-]", "-", sockets.gethostname()).lstrip("._-")[:32] or "worker"
    return f"{host}-{os.getpid()}-{random.getrandbits(32):08x}"


class Worker:
    """Takes tasks of `queues` and calls `handler(task, context)` for each, on `slots` threads at once; a coroutine
    function runs in an event loop of its own thread.

    What it returns is the result: bytes, text, or what JSON can hold. Failure, Retry, Snooze and HandOver, raised or
    returned, say otherwise; any other exception fails the task with its text. A handler must heed
    `context.cancelled`.

    The socket, the heartbeats and the leases are the business of the thread that calls run(), which no handler blocks
    (but for extension code that does not give up the interpreter's lock). It reconnects by itself, names what it still
    runs when it does, and repeats a report until the broker has recorded it."""

    def __init__(self, handler: Handler, *, queues: Sequence[str], broker: str | None = None, slots: int = 1,
                 name: str = "", labels: Mapping[str, str] | None = None, drain_timeout: Seconds = 30,
                 key_file: str | None = None, server_key: str | None = None) -> None:
        if not queues or isinstance(queues, str):
            raise AssayError("fix_input", "invalid_queues", "a worker needs a list with at least one queue")
        self.broker = broker or os.environ.get("ASSAY_WORKERS") or DEFAULT_WORKERS
        self.name = name or _own_name()
        self._handler = handler
        self._slots = slots
        self._drain_timeout = milliseconds(drain_timeout) / 1000
        self._keys = keys.read_keys(key_file or os.environ.get("ASSAY_KEY", ""),
                                    server_key or os.environ.get("ASSAY_SERVER_KEY", ""))
        self._session = WorkerSession(self.name, list(queues), slots, dict(labels or {}))
        self._contexts: dict[Held, Context] = {}
        self._finished: list[tuple[Held, wire.Fields]] = []
        self._lock = threading.Lock()
        self._stops = 0
        self._wake_read, self._wake_write = sockets.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._thread: threading.Thread | None = None
        self._thread_error: BaseException | None = None

    # ── its life ──

    def run(self, handle_signals: bool = True) -> None:
        """Works until request_stop(); with `handle_signals`, in the main thread, SIGTERM and SIGINT call that. Returns
        when the last handler has returned and its report was recorded. Raises AssayError when the broker does not
        let it in."""
        before = {}
        if handle_signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                before[number] = signal.signal(number, lambda *_: self.request_stop())
        pool = ThreadPoolExecutor(max_workers=self._slots + 1, thread_name_prefix="assay-handler")
        dealer = Dealer(self.broker, self._keys)
        try:
            self._loop(dealer, pool)
        finally:
            for each in list(self._contexts.values()):
                each.stop("worker_stops")
            dealer.close(200)
            pool.shutdown(wait=False)
            self._wake_read.close()
            self._wake_write.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self) -> Worker:
        """run() in a thread of its own, for notebooks and tests; stop() ends it."""

        def body() -> None:
            try:
                self.run()
            except BaseException as error:  # handed to whoever calls stop()
                self._thread_error = error

        self._thread = threading.Thread(target=body, name="assay-worker", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Drains and waits. Raises what run() raised."""
        self.request_stop()
        if self._thread is not None:
            self._thread.join()
        if self._thread_error is not None:
            raise self._thread_error

    def __enter__(self) -> Worker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def request_stop(self) -> None:
        """Once: takes nothing new, finishes what runs for up to `drain_timeout`. Twice: cancels what runs. Thread: any;
        also from a signal handler."""
        self._stops += 1
        self._wake()

    # ── the loop ──

    def _loop(self, dealer: Dealer, pool: ThreadPoolExecutor) -> None:
        session = self._session
        poller = zmq.Poller()
        poller.register(self._wake_read.fileno(), zmq.POLLIN)
        leave_at = quit_at = float("inf")
        collect_at = 0.0
        while True:
            now = time.monotonic()
            while (message := dealer.receive()) is not None:
                session.on_message(*message, now)
            if session.error is not None:
                raise session.error
            if now >= collect_at:
                collect_at = now + _PROGRESS_EVERY
                self._collect(now)
            self._hand_in(now)
            if self._stops and not session.draining:
                session.drain()
                quit_at = now + self._drain_timeout
            if session.draining and (self._stops > 1 or now >= quit_at) and leave_at == float("inf"):
                leave_at = now + _QUIT_SECONDS
                for context in list(self._contexts.values()):
                    context.stop("worker_stops")
            session.on_time(now)
            over = session.draining and (not session.holds or now >= leave_at)
            if over:
                session.goodbye(now)
            self._do(session.take_effects(), dealer, pool)
            if over:
                return
            poller.register(dealer.socket, zmq.POLLIN)
            wake = min(session.wake_at(now), leave_at, quit_at, collect_at if self._contexts else now + 1)
            poller.poll(max(1, int((wake - now) * 1000)))
            poller.unregister(dealer.socket)
            self._swallow()

    def _do(self, effects: Any, dealer: Dealer, pool: ThreadPoolExecutor) -> None:
        if effects.fresh_socket:
            dealer.reopen()
        for name, fields in effects.send:
            dealer.send(name, fields)
        for fields in effects.start:
            task = _assignment(fields)
            context = Context((task.id, task.attempt))
            self._contexts[context.held] = context
            pool.submit(self._handle, task, context)
        for held, why in effects.stop:
            if held in self._contexts:
                self._contexts[held].stop(why)

    def _handle(self, task: Assignment, context: Context) -> None:
        began, cpu = time.monotonic(), time.thread_time()
        try:
            value = self._handler(task, context)
            if inspect.isawaitable(value):
                value = asyncio.run(context.run(value))
            outcome = outcome_of(value)
        except BaseException as error:  # whatever it is, the attempt ends here
            if not isinstance(error, (Outcome, Context.Stopped)):
                context.log("".join(traceback.format_exception(*sys.exc_info())[-20:]))
            outcome = outcome_of(error)
        usage = outcome.usage or Usage(cpu_seconds=time.thread_time() - cpu, wall_seconds=time.monotonic() - began)
        report = {"id": task.id, "attempt": task.attempt, **outcome.fields(usage)}
        try:
            wire.encode("REPORT", {"reports": [report]})
        except MalformedMessage as error:
            report = {"id": task.id, "attempt": task.attempt,
                      **Failure(f"its result can't be sent: {error.message}", cause="limit").fields(usage)}
        with self._lock:
            self._finished.append((context.held, report))
        self._wake()

    def _collect(self, now: float) -> None:
        for context in list(self._contexts.values()):
            self._session.on_progress(context.take(now))

    def _hand_in(self, now: float) -> None:
        with self._lock:
            finished, self._finished = self._finished, []
        for held, report in finished:
            context = self._contexts.pop(held)
            self._session.on_progress(context.take(now, last=True))
            self._session.on_finished(held, report)

    def _wake(self) -> None:
        try:
            self._wake_write.send(b".")
        except OSError:
            pass  # it is full, so the loop will wake; or closed, and nobody is left to wake

    def _swallow(self) -> None:
        try:
            while self._wake_read.recv(4096):
                pass
        except OSError:
            pass
