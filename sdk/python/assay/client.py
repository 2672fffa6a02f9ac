"""The producer's and operator's side for plain code: submit, wait, follow, cancel, ask.

    with assay.Client("tcp://127.0.0.1:5555") as broker:
        task = broker.submit("shout", "hello")
        print(task.result().value)
"""

from __future__ import annotations

import getpass
import os
import re
import time
from types import TracebackType
from typing import Any, Iterable, Iterator, Mapping, Sequence, TypeVar

from assay import display, evaluation, ids, keys, model, requests
from assay.errors import WaitTimeout
from assay.model import Cancelled, Event, Listing, Moment, Result, Seconds, TaskInfo, TaskSpec, id_of
from assay.requests import Request
from assay.session import Call, Session, drive
from assay.transport import Dealer

T = TypeVar("T")
DEFAULT_BROKER = "tcp://127.0.0.1:5555"
_FOREVER = float("inf")


def feed_of(broker: str) -> str:
    """Where a broker's feed is if nobody says otherwise: its port + 2."""
    found = re.match(r"(tcp://.+:)(\d+)\Z", broker)
    return f"{found[1]}{int(found[2]) + 2}" if found else broker


def default_owner() -> str:
    """The user's name, as far as it is a name of the protocol."""
    try:
        name = os.environ.get("ASSAY_OWNER") or getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^a-zA-Z0-9._-]", "-", name).lstrip("._-")[:64] or "unknown"


class Task:
    """A submitted task. A notebook shows where it stands."""

    def __init__(self, client: Client, task: str) -> None:
        self.id = task
        self._client = client
        self._result: Result | None = None

    def result(self, timeout: Seconds | None = None) -> Result:
        """How it ended; waits for that, at most `timeout`. Raises WaitTimeout, `unknown_task`."""
        if self._result is None:
            self._result = self._client.wait(self, timeout)
        return self._result

    def progress(self, timeout: Seconds | None = None) -> Iterator[Event]:
        """Its events from the first on, as they happen, until it has ended."""
        return self._client.progress([self], timeout)

    def status(self) -> TaskInfo:
        return self._client.status(self)

    def explain(self) -> dict[str, Any]:
        """Why it stands where it does."""
        return self._client.explain(self)

    def cancel(self, reason: str = "") -> Cancelled:
        return self._client.cancel([self], reason)

    def watch(self) -> Result:
        """For notebooks: a live line until it has ended; returns the result."""
        from assay.notebook import watch  # IPython is not needed by anything else
        return watch(self)

    def __repr__(self) -> str:
        return f"<assay.Task {self.id}>"

    def _repr_html_(self) -> str:
        return display.result_html(self._result) if self._result else display.task_html(self.status())


class Client:
    """Talks to one broker over one socket. Calls block; the connection mends itself: a call that meets a broker that is
    restarting repeats its request until `call_timeout`, and as a task's id is the producer's, a repeated submit never
    makes a second task. What the broker refuses for now (`queue_full`) is repeated when it said so, within the time.

    `owner` is who the tasks are for (default: ASSAY_OWNER or the user's name). `key_file` and `server_key` as in
    docs/security.md. ASSAY_BROKER, ASSAY_FEED, ASSAY_KEY and ASSAY_SERVER_KEY stand in for what is not given.

    Every call may raise AssayError with `broker_unreachable` or `no_answer` (retry_call), `invalid_endpoint`,
    `unsupported_version`, `refused`, those about key files (fix_input), and what the broker says.

    Thread: one at a time. Two threads want two clients."""

    def __init__(self, broker: str | None = None, *, feed: str | None = None, owner: str | None = None,
                 call_timeout: Seconds = 3.0, name: str = "assay-python", key_file: str | None = None,
                 server_key: str | None = None) -> None:
        self.broker = broker or os.environ.get("ASSAY_BROKER") or DEFAULT_BROKER
        self.feed = feed or (not broker and os.environ.get("ASSAY_FEED")) or feed_of(self.broker)
        self.owner = owner or default_owner()
        self.keys = keys.read_keys(key_file or os.environ.get("ASSAY_KEY", ""),
                                   server_key or os.environ.get("ASSAY_SERVER_KEY", ""))
        self._session = Session(self.broker, name, model.milliseconds(call_timeout) / 1000)
        self._dealer = Dealer(self.broker, self.keys)

    # ── tasks ──

    def submit(self, queue: str, body: Any = b"", **settings: Any) -> Task:
        """One task; `settings` are those of TaskSpec. It is durable when this returns."""
        return self.submit_all([TaskSpec(queue, body, **settings)])[0]

    def submit_all(self, tasks: Iterable[TaskSpec], timeout: Seconds | None = None) -> list[Task]:
        """All of them or none, in one message (at most 10,000 tasks and 16 MiB): a DAG by their `after`."""
        tasks = list(tasks)
        self.ask(requests.submit(tasks, self.owner), timeout)
        return [Task(self, task.id) for task in tasks]

    def submit_many(self, tasks: Iterable[TaskSpec], run: str = "", timeout: Seconds = 60) -> list[Task]:
        """Any number, a part at a time, each part within `timeout`. With `run` (an id of new_id()) the ids are derived
        from it and the place in the order: the same call with the same run submits nothing twice."""
        out: list[Task] = []
        for part in requests.parts(tasks):
            if run:
                for place, task in enumerate(part, len(out)):
                    task.id = ids.derived_id(run, str(place))
            out += self.submit_all(part, timeout)
        return out

    def evaluate(self, path: str | os.PathLike[str], *, queue: str = "eval", labels: Mapping[str, str] | None = None,
                 priority: int = 5, **settings: Any) -> Task:
        """Submits a .py, .ipynb or .yaml (docs/evaluations.md). `settings`: `tests`, `timeout` (seconds),
        `test_timeout`, `danger`, `isolated`, `pods_max`, `profile`, `endpoint`, `model`, `pass_threshold`,
        `outputs`; they override what the file says."""
        loaded = evaluation.load(path)
        loaded.change(settings)
        return self.submit(queue, loaded.encode(), priority=priority, labels={"name": loaded.name, **(labels or {})})

    def task(self, prefix: str) -> Task:
        """A task by its id or a prefix of it that fits no other."""
        return Task(self, self.status(prefix).id)

    def wait(self, task: Any, timeout: Seconds | None = None) -> Result:
        """How a task ended. Raises WaitTimeout, `unknown_task`."""
        return self.wait_all([task], timeout)[0]

    def wait_all(self, tasks: Iterable[Any], timeout: Seconds | None = None) -> list[Result]:
        """How all of them ended, in their order."""
        wanted = [id_of(task) for task in tasks]
        found = {result.id: result for result in self.as_completed(wanted, timeout)}
        return [found[task] for task in wanted]

    def as_completed(self, tasks: Iterable[Any], timeout: Seconds | None = None) -> Iterator[Result]:
        """Results as they come, each once. Thousands cost one message, and travel over the client's one socket. A
        broker that goes away meanwhile is waited for."""
        left = {id_of(task) for task in tasks}
        self.connect()
        now = time.monotonic()
        until = _FOREVER if timeout is None else now + model.milliseconds(timeout) / 1000
        self._session.await_ids(sorted(left), now)
        try:
            while left:
                yield from self._ended_of(left)
                if left and time.monotonic() >= until:
                    raise WaitTimeout(f"{len(left)} of the tasks have not ended, {sorted(left)[0]} among them")
                if left:
                    self._pump(until)
        finally:
            self._session.forget(list(left))

    def _ended_of(self, left: set[str]) -> Iterator[Result]:
        results, unknown = self._session.results, self._session.unknown
        for task in [task for task in results if task in left] if len(results) < len(left) else \
                    [task for task in left if task in results]:
            left.discard(task)
            yield model.read(Result, results.pop(task))
        for task in left & unknown:
            raise requests.unknown_task(task)

    def results(self, tasks: Iterable[Any]) -> list[Result]:
        """Of those that have ended by now."""
        found: list[Result] = []
        wanted = [id_of(task) for task in tasks]
        for begin in range(0, len(wanted), 4096):
            answer = self.ask(requests.results_now(wanted[begin:begin + 4096]))
            for task in answer["unknown"]:
                raise requests.unknown_task(task)
            found += [model.read(Result, result) for result in answer["results"]]
        return found

    def progress(self, tasks: Iterable[Any], timeout: Seconds | None = None) -> Iterator[Event]:
        """The events of tasks from the first on, until all have ended."""
        from assay.subscriber import follow
        return follow(self, [id_of(task) for task in tasks], timeout)

    def cancel(self, tasks: Iterable[Any], reason: str = "", with_dependents: bool = False) -> Cancelled:
        """Asks for their end: queued ones end at once, running ones when their worker has stopped them."""
        return self.ask(requests.cancel(tasks, reason, with_dependents))

    # ── questions ──

    def status(self, task: Any) -> TaskInfo:
        """Of a task, or of an id's prefix that fits no other."""
        return self.ask(requests.status(task))

    def explain(self, task: Any) -> dict[str, Any]:
        return self.ask(requests.explain(task))

    def tasks(self, *, states: Sequence[str] = (), queue: str = "", owner: str = "", since: Moment | None = None,
             until: Moment | None = None, labels: Mapping[str, str] | None = None, limit: int = 100,
             after: Any = None) -> Listing:
        """Tasks that match, the newest first, 1000 at most; go on with `after` the last one. `since` and `until` are
        dates; a number is so many seconds from now (negative ones: ago)."""
        return self.ask(requests.tasks(states, queue, owner, since, until, labels or {}, limit, after))

    def queues(self) -> Listing:
        return self.ask(requests.queues())

    def workers(self) -> Listing:
        return self.ask(requests.workers())

    def usage(self, by: str = "owner", since: Moment | None = None, until: Moment | None = None) -> Any:
        return self.ask(requests.usage(by, since, until))

    def operate(self, operation: str, target: str = "", tasks: Iterable[Any] = ()) -> int:
        """What operators do: docs/protocol.md section 6.8. Returns how many changed."""
        return self.ask(requests.operate(operation, target, tasks))

    # ── the connection ──

    def connect(self) -> None:
        """Makes sure that a broker answers; the other calls do not need it."""
        self._finish(self._session.connect(time.monotonic()))

    def ask(self, request: Request[T], timeout: Seconds | None = None) -> T:
        limit = None if timeout is None else model.milliseconds(timeout) / 1000
        call = self._session.call(request.name, request.fields, time.monotonic(), limit)
        return request.read(self._finish(call))

    def _finish(self, call: Call) -> dict[str, Any]:
        while not call.done:
            self._pump(_FOREVER)
        return call.result()

    def _pump(self, until: float) -> None:
        heard = self._hear()
        now = time.monotonic()
        drive(self._session, self._dealer, now)
        if heard or not self._session.waits:
            return
        wake = min(until, self._session.wake_at(now))
        self._dealer.socket.poll(max(0, int((wake - now) * 1000) + 1))
        self._hear()

    def _hear(self) -> bool:
        any_heard = False
        while (message := self._dealer.receive()) is not None:
            self._session.on_message(*message, time.monotonic())
            any_heard = True
        return any_heard

    def close(self) -> None:
        if self._dealer.closed:
            return
        if self._session.greeted:
            self._dealer.send("GOODBYE", {})
        self._dealer.close(200)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


