"""A handler's line to the broker while it works."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any, Awaitable

from assay import wire

Held = tuple[str, int]
LOG_AT_ONCE = 256 << 10  # bytes of log before any is cut
LOG_A_SECOND = 64 << 10
_PIECE = 60_000


class Stopped(Exception):
    """Raised by Context.check(): the task is not wanted any more."""


class Context:
    """Thread: any, until the handler returns."""

    Stopped = Stopped

    def __init__(self, held: Held) -> None:
        self.held = held
        self.stop_reason = ""  # cancelled, lost (another worker has it), worker_stops
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._progress: wire.Fields | None = None
        self._lines: deque[wire.Fields] = deque()
        self._allowance = float(LOG_AT_ONCE)
        self._refilled_at: float | None = None
        self._cut = 0
        self._async: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def progress(self, done: int, total: int = 0, text: str = "") -> None:
        """`done` of `total` (0: not known) with a line for people. Cheap; merged with the next."""
        with self._lock:
            self._progress = self._report("progress", text, done=max(0, int(done)), total=max(0, int(total)))

    def log(self, lines: str) -> None:
        """Log lines; they arrive in order. What exceeds 256 KiB at once or 64 KiB a second is cut, and a line in its
        place says how much."""
        raw = lines.rstrip("\n").encode(errors="replace")
        with self._lock:
            for begin in range(0, len(raw), _PIECE):
                piece = raw[begin:begin + _PIECE]
                if len(piece) > self._allowance:
                    self._cut += len(piece)
                    continue
                self._mark_cut()
                self._allowance -= len(piece)
                self._lines.append(self._report("log", piece.decode(errors="replace")))

    def safety(self, text: str) -> None:
        """Something a safety rule noticed."""
        with self._lock:
            self._lines.append(self._report("safety", text))

    @property
    def cancelled(self) -> bool:
        """Whether the handler should stop; `stop_reason` says why."""
        return self._event.is_set()

    def wait_cancelled(self, seconds: float) -> bool:
        """Waits until `cancelled` or the time is over."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raises Stopped, which a handler need not catch, when it should stop."""
        if self.cancelled:
            raise Stopped(self.stop_reason)

    # ── for the worker ──

    def stop(self, why: str) -> None:
        with self._lock:
            self.stop_reason = self.stop_reason or why
            running = self._async
        self._event.set()
        if running is not None:
            running[0].call_soon_threadsafe(running[1].cancel)

    async def run(self, handler: Awaitable[Any]) -> Any:
        """A coroutine that is cancelled when the task is."""
        task = asyncio.ensure_future(handler)
        with self._lock:
            self._async = (asyncio.get_running_loop(), task)
        if self.cancelled:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            raise Stopped(self.stop_reason) from None
        finally:
            with self._lock:
                self._async = None

    def take(self, now: float, last: bool = False) -> list[wire.Fields]:
        """What is to be sent now."""
        with self._lock:
            if self._refilled_at is not None:
                self._allowance = min(LOG_AT_ONCE, self._allowance + (now - self._refilled_at) * LOG_A_SECOND)
            self._refilled_at = now
            if last:
                self._mark_cut()
            reports = list(self._lines)
            self._lines.clear()
            if self._progress is not None:
                reports.append(self._progress)
                self._progress = None
            return reports

    def _mark_cut(self) -> None:
        if self._cut:
            self._lines.append(self._report("log", f"… {self._cut} bytes cut …"))
            self._cut = 0

    def _report(self, kind: str, text: str, **figures: int) -> wire.Fields:
        return {"id": self.held[0], "attempt": self.held[1], "kind": kind, "text": _bounded(text),
                **figures}


def _bounded(text: str) -> str:
    raw = text.encode(errors="replace")
    return text if len(raw) <= wire.TEXT_BYTES_MAX else raw[:wire.TEXT_BYTES_MAX - 3].decode(errors="ignore") + "…"
