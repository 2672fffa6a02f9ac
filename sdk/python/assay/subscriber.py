"""The feed for plain code: every event once and in order, over drops, reconnects and restarts of the broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Iterable, Iterator

import zmq

from assay import requests, wire
from assay.errors import AssayError, MalformedMessage, WaitTimeout
from assay.model import Event, Seconds, id_of, milliseconds, read
from assay.sequence import Sequence
from assay.transport import open_socket

if TYPE_CHECKING:
    from assay.client import Client

# A subscription takes a moment to reach the broker, and a loss after the last event shows in no later one: a silent
# feed is checked by asking, soon at first, then ever more rarely.
FIRST_CHECK = 0.1
CHECK = 2.0
CHECK_MAX = 30.0
TOPICS_MAX = 64
RECEIVE_LIMIT = 10_000
EVENTS_A_TURN = 1000


class Pace:
    """When a silent feed is checked."""

    def __init__(self, now: float) -> None:
        self.silence = FIRST_CHECK
        self.check_at = now + self.silence

    def on_event(self, now: float) -> None:
        self.silence = CHECK
        self.check_at = now + self.silence

    def due(self, now: float) -> bool:
        if now < self.check_at:
            return False
        self.silence = min(self.silence * 2, CHECK_MAX)
        self.check_at = now + self.silence
        return True


def topics(tasks: Iterable[str], queue: str, queues: list[str]) -> list[str]:
    """The narrowest subscriptions that let through all that is followed; `queues` are those of the tasks."""
    tasks = list(tasks)
    if tasks and len(tasks) == len(queues) <= TOPICS_MAX:
        return [f"{name}/{task}/" for name, task in zip(queues, tasks)]
    return [f"{queue}/" if queue and not tasks else ""]


def events_of(socket: zmq.Socket) -> Iterator[Event]:
    """What waits in a SUB socket, so many at once at most. What can't be read is missing then, and fetched."""
    for _ in range(EVENTS_A_TURN):
        try:
            frames = socket.recv_multipart(zmq.DONTWAIT)
            yield read(Event, wire.decode_struct("event", frames[-1]))
        except MalformedMessage:
            continue
        except zmq.ZMQError:
            return


class Subscriber:
    """Follows `tasks`, or a `queue`, or everything. `after`: begin after this sequence (0: with all that is kept);
    None: with what happens from now on. Iterating never ends by itself.

    `lost` counts what was gone before it could be fetched. Thread: one at a time, and its client's."""

    def __init__(self, client: Client, tasks: Iterable[object] = (), queue: str = "", after: int | None = None) -> None:
        self._client = client
        self._tasks = [id_of(task) for task in tasks]
        self._sequence = Sequence(frozenset(self._tasks), queue)
        self._context = zmq.Context()
        self._socket = open_socket(self._context, zmq.SUB, client.feed, client.keys)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_LIMIT)
        known = [client.status(task).queue for task in self._tasks] if len(self._tasks) <= TOPICS_MAX else []
        for topic in topics(self._tasks, queue, known):
            self._socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        if after is None:
            self._sequence.begin(client.ask(requests.events({"after": wire.UINT64_MAX, "limit": 1}))["newest"])
        else:
            self._sequence.begin(after)
            self._sequence.check()
        self._pace = Pace(time.monotonic())
        self._ask_again_at = 0.0

    @property
    def lost(self) -> int:
        return self._sequence.lost

    def next(self, timeout: Seconds) -> Event | None:
        """The next event; None when none came in time. Raises `broker_unreachable` or `no_answer` when a gap can't be
        filled: call again, nothing is skipped."""
        until = time.monotonic() + milliseconds(timeout) / 1000
        while True:
            event = self._sequence.take()
            now = time.monotonic()
            if event is not None:
                self._pace.on_event(now)
                return event
            if self._ask(now) or self._receive():
                continue
            if self._pace.due(now):
                self._ask_again_at = now
                self._sequence.check()
                continue
            if now >= until:
                return None
            self._socket.poll(max(1, int((min(until, self._pace.check_at) - now) * 1000)))

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self.next(3600)
            if event is not None:
                yield event

    def close(self) -> None:
        self._socket.close(0)
        self._context.term()

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> bool:
        received = False
        for event in events_of(self._socket):
            received = True
            self._sequence.on_event(event)
        return received

    def _ask(self, now: float) -> bool:
        if not self._sequence.has_gap and now < self._ask_again_at:
            return False
        question = self._sequence.question()
        if question is None:
            return False
        try:
            self._sequence.on_answer(self._client.ask(requests.events(question)))
            return True
        except AssayError as error:
            self._sequence.on_no_answer()
            if self._sequence.has_gap or error.code != "retry_call":
                raise
            self._ask_again_at = now + CHECK  # a mere check comes again by the clock
            return False


def follow(client: Client, tasks: list[str], timeout: Seconds | None) -> Iterator[Event]:
    """The events of tasks from the first on, until all have ended. One whose last events are not kept any more ends
    with an event made of its result."""
    left = set(tasks)
    until = None if timeout is None else time.monotonic() + milliseconds(timeout) / 1000
    with Subscriber(client, tasks, after=0) as subscriber:
        while left:
            try:
                event = subscriber.next(CHECK)
            except AssayError as error:
                if error.code != "retry_call":
                    raise
                event = None  # a broker that is away is waited for
            if event is not None:
                yield event
                if event.ended:
                    left.discard(event.task)
            elif until is None or time.monotonic() < until:
                for result in _ended(client, left):
                    left.discard(result.task)
                    yield result
            if left and until is not None and time.monotonic() >= until:
                raise WaitTimeout(f"{len(left)} of the tasks have not ended")


def _ended(client: Client, tasks: set[str]) -> Iterator[Event]:
    try:
        results = client.results(tasks)
    except AssayError as error:
        if error.code != "retry_call":
            raise
        return
    for result in results:
        yield Event(sequence=0, previous=0, at=result.ended_at, kind="state", queue="", task=result.id,
                    attempt=result.attempt, state=result.state, worker="", done=0, total=0, text=result.reason)


