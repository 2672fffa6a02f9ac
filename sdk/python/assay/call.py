"""A request that is out, and its answer."""

from __future__ import annotations

from typing import Callable

from assay import wire
from assay.errors import AssayError


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
        self.parts: wire.Fields = {}

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None

    def merged(self, results: wire.Fields) -> wire.Fields | None:
        """The answer to an AWAIT that follows nothing, once each of its ids was named."""
        lists = ("results", "pending", "unknown")
        for name in lists:
            results[name] = self.parts.get(name, []) + results[name]
        self.parts = results
        named = sum(len(results[name]) for name in lists)
        return results if named >= len(set(self.fields["ids"])) else None

    def result(self) -> wire.Fields:
        if self.error is not None:
            raise self.error
        assert self.answer is not None
        return self.answer
