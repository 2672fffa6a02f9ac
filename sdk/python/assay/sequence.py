"""Puts the feed in order and finds what is missing from it (docs/protocol.md section 8). Pure: told of events and of
answers to its questions, it says which events are next and what must be asked.

Every event names the one before it: over the whole broker by its own number, in its queue by `previous_in_queue`, of
its task by `previous`. Which of these chains is looked at depends on what is followed. What follows a gap is held
back until the broker was asked for what it keeps; what it does not keep any more counts as lost."""

from __future__ import annotations

from collections import deque

from assay import wire
from assay.model import Event, read

HELD_MAX = 10_000
_EVENTS_AT_ONCE = 1000


class Sequence:
    """Follows these tasks, or a queue, or (both empty) everything."""

    def __init__(self, tasks: frozenset[str] = frozenset(), queue: str = "") -> None:
        self.tasks = tasks
        self.queue = queue
        self.lost = 0
        self.has_gap = False
        self._last: dict[str, int] = {}  # of each chain
        self._floor = 0  # of all chains: nothing of ours at or below is missing
        self._held: dict[int, Event] = {}
        self._ready: deque[Event] = deque()
        self._checking = False
        self._asked_after: int | None = None  # a question is out, or has more pages
        self._more = False

    def begin(self, after: int) -> None:
        self._floor = after

    def check(self) -> None:
        """Ask for what may be missing although nothing shows it."""
        self._checking = True

    def take(self) -> Event | None:
        return self._ready.popleft() if self._ready else None

    def on_event(self, event: Event) -> None:
        if not self._is_ours(event) or self._is_seen(event):
            return
        if len(self._held) >= HELD_MAX:
            self._checking = True
            return
        self._held[event.sequence] = event
        if not self.has_gap:  # which only an answer can fill: the feed itself keeps its order
            self._release(0)

    def question(self) -> wire.Fields | None:
        """The fields of an EVENTS to send now, if any. One is out at a time."""
        if self._asked_after is None:
            if not self.has_gap and not self._checking:
                return None
            self._asked_after = min((self._seen_to(chain) for chain in self.tasks), default=self._seen_to(""))
        return {"after": self._asked_after, "tasks": sorted(self.tasks), "queue": self.queue, "limit": _EVENTS_AT_ONCE}

    def on_no_answer(self) -> None:
        self._asked_after = None
        self._more = False

    def on_answer(self, answer: wire.Fields) -> None:
        assert self._asked_after is not None
        if answer["newest"] < self._asked_after:
            return self._start_over()
        everything = not self.tasks and not self.queue
        from_oldest = self._asked_after == 0  # everything that is kept: what is not is not missed
        if not self.tasks and not self._more and not from_oldest and answer["oldest"] > self._asked_after + 1:
            gone = min(answer["oldest"] - 1, answer["newest"]) - self._asked_after
            self.lost += gone if everything else min(gone, 1)
        for fields in answer["events"]:
            event = read(Event, fields)
            if self._is_ours(event) and not self._is_seen(event):
                self._held[event.sequence] = event
        more = not answer["complete"] and bool(answer["events"])
        confirmed = answer["events"][-1]["sequence"] if more else answer["newest"]
        self._release(confirmed)
        if everything:
            self._floor = max(self._floor, confirmed)
        self._asked_after = confirmed if more else None
        self._more = more
        if not more:
            self._checking = False
            self._floor = max(self._floor, answer["newest"])
            self._release(0)

    def _is_ours(self, event: Event) -> bool:
        if self.tasks:
            return event.task in self.tasks
        return not self.queue or event.queue == self.queue

    def _chain(self, event: Event) -> tuple[str, int]:
        if self.tasks:
            return event.task, event.previous
        return "", event.previous_in_queue if self.queue else event.sequence - 1

    def _is_seen(self, event: Event) -> bool:
        return event.sequence <= self._seen_to(self._chain(event)[0])

    def _seen_to(self, chain: str) -> int:
        return max(self._last.get(chain, 0), self._floor)

    def _release(self, confirmed: int) -> None:
        """Delivers what is held up to the first gap that the broker has not been asked about; `confirmed`: the answer
        being merged holds all that is kept up to here."""
        self.has_gap = False
        for number in sorted(self._held):
            event = self._held[number]
            chain, previous = self._chain(event)
            if not self._is_seen(event):
                if previous > self._seen_to(chain):
                    if previous > confirmed:
                        self.has_gap = True
                        return
                    if self.tasks:
                        self.lost += 1
                self._last[chain] = event.sequence
                self._ready.append(event)
            del self._held[number]

    def _start_over(self) -> None:
        """The broker's numbers lie below what it told before: it lost its memory. All it has is new."""
        self._floor = 0
        self._last.clear()
        self._held.clear()
        self._asked_after = None
        self._checking = True
