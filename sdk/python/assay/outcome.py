"""What a handler may say of its task other than a result. Each may be raised or returned."""

from __future__ import annotations

from typing import Any, Sequence

from assay import wire
from assay.context import Stopped
from assay.model import Seconds, Usage, body_of, milliseconds

_REASON_MAX = 4000


class Outcome(Exception):
    """How an attempt ended. `usage` is measured when it is not given, `artifacts` are sha256 in hexadecimal."""

    outcome = "succeeded"

    def __init__(self, reason: str = "", *, cause: str = "none", delay: Seconds = 0, result: Any = b"",
                 usage: Usage | None = None, artifacts: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause
        self.delay = delay
        self.result = result
        self.usage = usage
        self.artifacts = artifacts

    def fields(self, usage: Usage) -> wire.Fields:
        """As REPORT carries it, but for whose it is."""
        reason = self.reason if len(self.reason) <= _REASON_MAX else self.reason[:_REASON_MAX] + "…"
        return {"outcome": self.outcome, "cause": self.cause, "reason": reason, "delay": milliseconds(self.delay),
                "result": body_of(self.result), "usage": dict(vars(usage)), "artifacts": list(self.artifacts)}


class Failure(Outcome):
    """It ran and said no, or met a limit or a safety rule: final."""

    outcome = "failed"

    def __init__(self, reason: str, *, cause: str = "task", **rest: Any) -> None:
        super().__init__(reason, cause=cause, **rest)


class Retry(Outcome):
    """Run it again after `delay`, if attempts are left. The cause `infrastructure` costs no attempt."""

    outcome = "retry"

    def __init__(self, reason: str, *, delay: Seconds = 0, cause: str = "task", **rest: Any) -> None:
        super().__init__(reason, cause=cause, delay=delay, **rest)


class Snooze(Outcome):
    """Not now: run it again after `delay`. It costs no attempt and counts as no loss."""

    outcome = "snooze"

    def __init__(self, delay: Seconds, reason: str = "") -> None:
        super().__init__(reason, delay=delay)


class HandOver(Outcome):
    """This worker leaves, and what it started goes on: the same attempt with another worker (`Assignment.resume`)."""

    outcome = "hand_over"


class _Cancelled(Outcome):
    outcome = "cancelled"


def outcome_of(value: Any) -> Outcome:
    """Of what a handler returned or raised."""
    if isinstance(value, Outcome):
        return value
    if isinstance(value, Stopped):
        return _Cancelled()
    if isinstance(value, BaseException):
        return Failure(f"{type(value).__name__}: {value}" if str(value) else type(value).__name__)
    try:
        return Outcome(result=b"" if value is None else body_of(value))
    except (TypeError, ValueError) as error:
        return Failure(f"the handler returned {type(value).__name__}, neither bytes nor text nor JSON: {error}")
