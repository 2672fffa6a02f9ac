"""The feed for asyncio, and how a socket is waited for there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, AsyncIterator, Iterable

import zmq
import zmq.asyncio

from assay import requests, wire
from assay.errors import AssayError
from assay.model import Event, Seconds, id_of, milliseconds
from assay.sequence import Sequence
from assay.subscriber import CHECK, RECEIVE_LIMIT, TOPICS_MAX, Pace, events_of, topics
from assay.transport import open_socket

if TYPE_CHECKING:
    from assay.aio import Client


async def readable(socket: zmq.Socket, seconds: float, poke: asyncio.Event | None = None) -> None:
    """Returns when the socket can be read, when the time is over, or when `poke` is set."""
    watched = zmq.asyncio.Socket.from_socket(socket)
    waits: set[asyncio.Future[object]] = {asyncio.ensure_future(watched.poll(max(1, int(seconds * 1000))))}
    if poke is not None:
        waits.add(asyncio.ensure_future(poke.wait()))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


class Subscriber:
    """As assay.Subscriber: every event once and in order.

        async with assay.aio.Subscriber(client, queue="eval") as events:
            async for event in events: ..."""

    def __init__(self, client: Client, tasks: Iterable[object] = (), queue: str = "", after: int | None = None) -> None:
        self._client = client
        self._tasks = [id_of(task) for task in tasks]
        self._queue = queue
        self._after = after
        self._sequence = Sequence(frozenset(self._tasks), queue)
        self._context = zmq.Context()
        self._socket = open_socket(self._context, zmq.SUB, client.feed, client.keys)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_LIMIT)
        self._pace: Pace | None = None
        self._ask_again_at = 0.0

    @property
    def lost(self) -> int:
        return self._sequence.lost

    async def start(self) -> None:
        """Fixes the point where it begins; next() does it when it has not been done."""
        if self._pace is not None:
            return
        few = self._tasks if len(self._tasks) <= TOPICS_MAX else []
        known = [(await self._client.status(task)).queue for task in few]
        for topic in topics(self._tasks, self._queue, known):
            self._socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        if self._after is None:
            newest = await self._client.ask(requests.events({"after": wire.UINT64_MAX, "limit": 1}))
            self._sequence.begin(newest["newest"])
        else:
            self._sequence.begin(self._after)
            self._sequence.check()
        self._pace = Pace(time.monotonic())

    async def next(self, timeout: Seconds) -> Event | None:
        """The next event; None when none came in time."""
        await self.start()
        assert self._pace is not None
        until = time.monotonic() + milliseconds(timeout) / 1000
        while True:
            event = self._sequence.take()
            now = time.monotonic()
            if event is not None:
                self._pace.on_event(now)
                return event
            if await self._ask(now) or self._receive():
                continue
            if self._pace.due(now):
                self._ask_again_at = now
                self._sequence.check()
                continue
            if now >= until:
                return None
            await readable(self._socket, min(until, self._pace.check_at) - now)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = await self.next(3600)
            if event is not None:
                yield event

    async def __aenter__(self) -> Subscriber:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close(0)
        self._context.term()

    def _receive(self) -> bool:
        received = False
        for event in events_of(self._socket):
            received = True
            self._sequence.on_event(event)
        return received

    async def _ask(self, now: float) -> bool:
        if not self._sequence.has_gap and now < self._ask_again_at:
            return False
        question = self._sequence.question()
        if question is None:
            return False
        try:
            self._sequence.on_answer(await self._client.ask(requests.events(question)))
            return True
        except AssayError as error:
            self._sequence.on_no_answer()
            if self._sequence.has_gap or error.code != "retry_call":
                raise
            self._ask_again_at = now + CHECK
            return False
