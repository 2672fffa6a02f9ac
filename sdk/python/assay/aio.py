"""The same for asyncio.

    async with assay.aio.Client("tcp://127.0.0.1:5555") as broker:
        task = await broker.submit("shout", "hello")
        print((await task.result()).value)

Calls run at the same time over one socket. One Client belongs to one event loop."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, AsyncIterator, Iterable, Mapping, Sequence, TypeVar

from assay import evaluation, ids, keys, model, requests, wire
from assay.aio_subscriber import Subscriber, readable
from assay.client import DEFAULT_BROKER, default_owner, feed_of
from assay.errors import WaitTimeout
from assay.model import Cancelled, Event, Listing, Moment, Result, Seconds, TaskInfo, TaskSpec, id_of
from assay.requests import Request
from assay.session import Call, Session, drive
from assay.subscriber import CHECK
from assay.transport import Dealer

T = TypeVar("T")
__all__ = ["Client", "Subscriber", "Task"]


class Task:
    """A submitted task."""

    def __init__(self, client: Client, task: str) -> None:
        self.id = task
        self._client = client

    async def result(self, timeout: Seconds | None = None) -> Result:
        return await self._client.wait(self, timeout)

    def progress(self) -> AsyncIterator[Event]:
        """Its events from the first on, as they happen, until it has ended."""
        return self._client.progress([self])

    async def status(self) -> TaskInfo:
        return await self._client.status(self)

    async def cancel(self, reason: str = "") -> Cancelled:
        return await self._client.cancel([self], reason)

    def __repr__(self) -> str:
        return f"<assay.aio.Task {self.id}>"


class Client:
    """As assay.Client; what that says of calls, owners, keys and errors holds here."""

    def __init__(self, broker: str | None = None, *, feed: str | None = None, owner: str | None = None,
                 call_timeout: Seconds = 3.0, name: str = "assay-python", key_file: str | None = None,
                 server_key: str | None = None) -> None:
        self.broker = broker or os.environ.get("ASSAY_BROKER") or DEFAULT_BROKER
        self.feed = feed or (not broker and os.environ.get("ASSAY_FEED")) or feed_of(self.broker)
        self.owner = owner or default_owner()
        self.keys = keys.read_keys(key_file or os.environ.get("ASSAY_KEY", ""),
                                   server_key or os.environ.get("ASSAY_SERVER_KEY", ""))
        self._session = Session(self.broker, name, model.milliseconds(call_timeout) / 1000)
        self._session.on_ended = self._on_ended
        self._dealer = Dealer(self.broker, self.keys)
        self._watchers: dict[str, list[asyncio.Queue[str]]] = {}  # of awaited tasks
        self._poke: asyncio.Event | None = None
        self._pumping: asyncio.Task[None] | None = None

    # ── tasks ──

    async def submit(self, queue: str, body: Any = b"", **settings: Any) -> Task:
        return (await self.submit_all([TaskSpec(queue, body, **settings)]))[0]

    async def submit_all(self, tasks: Iterable[TaskSpec], timeout: Seconds | None = None) -> list[Task]:
        tasks = list(tasks)
        await self.ask(requests.submit(tasks, self.owner), timeout)
        return [Task(self, task.id) for task in tasks]

    async def submit_many(self, tasks: Iterable[TaskSpec], run: str = "", timeout: Seconds = 60) -> list[Task]:
        out: list[Task] = []
        for part in requests.parts(tasks):
            if run:
                for place, task in enumerate(part, len(out)):
                    task.id = ids.derived_id(run, str(place))
            out += await self.submit_all(part, timeout)
        return out

    async def evaluate(self, path: str | os.PathLike[str], *, queue: str = "eval",
                       labels: Mapping[str, str] | None = None, priority: int = 5, **settings: Any) -> Task:
        loaded = await asyncio.to_thread(evaluation.load, path)
        loaded.change(settings)
        named = {"name": loaded.name, **(labels or {})}
        return await self.submit(queue, loaded.encode(), priority=priority, labels=named)

    async def wait(self, task: Any, timeout: Seconds | None = None) -> Result:
        async for result in self.as_completed([task], timeout):
            return result
        raise AssertionError("as_completed gives each task or raises")

    async def wait_all(self, tasks: Iterable[Any], timeout: Seconds | None = None) -> list[Result]:
        wanted = [id_of(task) for task in tasks]
        found = {result.id: result async for result in self.as_completed(wanted, timeout)}
        return [found[task] for task in wanted]

    async def as_completed(self, tasks: Iterable[Any], timeout: Seconds | None = None) -> AsyncIterator[Result]:
        """Results as they come, each once."""
        left = {id_of(task) for task in tasks}
        await self.connect()
        until = None if timeout is None else time.monotonic() + model.milliseconds(timeout) / 1000
        ended: asyncio.Queue[str] = asyncio.Queue()
        watched = list(left)
        for task in watched:
            self._watchers.setdefault(task, []).append(ended)
        try:
            self._session.await_ids(watched, time.monotonic())
            self._wake()
            for task in watched:
                if task in self._session.results:
                    ended.put_nowait(task)
            while left:
                try:
                    rest = None if until is None else max(0.0, until - time.monotonic())
                    task = await asyncio.wait_for(ended.get(), rest)
                except asyncio.TimeoutError:
                    raise WaitTimeout(f"{len(left)} of the tasks have not ended, {min(left)} among them") from None
                if task not in left:
                    continue
                left.discard(task)
                if task in self._session.unknown:
                    raise requests.unknown_task(task)
                yield model.read(Result, self._session.results[task])
        finally:
            self._leave(watched, ended)

    async def results(self, tasks: Iterable[Any]) -> list[Result]:
        answer = await self.ask(requests.results_now(tasks))
        for task in answer["unknown"]:
            raise requests.unknown_task(task)
        return [model.read(Result, result) for result in answer["results"]]

    async def progress(self, tasks: Iterable[Any]) -> AsyncIterator[Event]:
        """The events of tasks from the first on, until all have ended."""
        left = {id_of(task) for task in tasks}
        async with Subscriber(self, sorted(left), after=0) as subscriber:
            while left:
                event = await subscriber.next(CHECK)
                if event is not None:
                    yield event
                    if event.ended:
                        left.discard(event.task)
                    continue
                for result in await self.results(left):  # its last events may not be kept any more
                    left.discard(result.id)

    async def cancel(self, tasks: Iterable[Any], reason: str = "", with_dependents: bool = False) -> Cancelled:
        return await self.ask(requests.cancel(tasks, reason, with_dependents))

    # ── questions ──

    async def status(self, task: Any) -> TaskInfo:
        return await self.ask(requests.status(task))

    async def explain(self, task: Any) -> dict[str, Any]:
        return await self.ask(requests.explain(task))

    async def tasks(self, *, states: Sequence[str] = (), queue: str = "", owner: str = "", since: Moment | None = None,
                   until: Moment | None = None, labels: Mapping[str, str] | None = None, limit: int = 100,
                   after: Any = None) -> Listing:
        return await self.ask(requests.tasks(states, queue, owner, since, until, labels or {}, limit, after))

    async def queues(self) -> Listing:
        return await self.ask(requests.queues())

    async def workers(self) -> Listing:
        return await self.ask(requests.workers())

    async def usage(self, by: str = "owner", since: Moment | None = None, until: Moment | None = None) -> Any:
        return await self.ask(requests.usage(by, since, until))

    async def operate(self, operation: str, target: str = "", tasks: Iterable[Any] = ()) -> int:
        return await self.ask(requests.operate(operation, target, tasks))

    # ── the connection ──

    async def connect(self) -> None:
        await self._finish(self._session.connect(time.monotonic()))

    async def ask(self, request: Request[T], timeout: Seconds | None = None) -> T:
        limit = None if timeout is None else model.milliseconds(timeout) / 1000
        call = self._session.call(request.name, request.fields, time.monotonic(), limit)
        return request.read(await self._finish(call))

    async def close(self) -> None:
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
        if self._dealer.closed:
            return
        if self._session.greeted:
            self._dealer.send("GOODBYE", {})
        self._dealer.close(200)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _finish(self, call: Call) -> wire.Fields:
        if not call.done:
            answered = asyncio.get_running_loop().create_future()
            call.on_done = lambda: answered.done() or answered.set_result(None)
            self._wake()
            await answered
        return call.result()

    def _on_ended(self, task: str) -> None:
        for watcher in self._watchers.get(task, ()):
            watcher.put_nowait(task)

    def _leave(self, tasks: list[str], watcher: asyncio.Queue[str]) -> None:
        """Nobody is told of these any more through `watcher`; results that nobody waits for are let go."""
        alone = []
        for task in tasks:
            watchers = self._watchers[task]
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[task]
                alone.append(task)
        self._session.forget(alone)

    def _wake(self) -> None:
        """There is something to send; the first time, begins to talk."""
        if self._poke is None:
            self._poke = asyncio.Event()
            self._pumping = asyncio.get_running_loop().create_task(self._pump())
        self._poke.set()

    async def _pump(self) -> None:
        """The only one that touches the socket."""
        assert self._poke is not None
        while True:
            self._poke.clear()
            now = time.monotonic()
            while (message := self._dealer.receive()) is not None:
                self._session.on_message(*message, now)
            drive(self._session, self._dealer, now)
            if self._poke.is_set():
                continue
            if not self._session.waits:
                await self._poke.wait()
                continue
            await readable(self._dealer.socket, self._session.wake_at(now) - now, self._poke)
