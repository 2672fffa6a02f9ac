"""What goes wrong, as one exception that says what to do about it."""

from __future__ import annotations


class AssayError(Exception):
    """A refusal or failure. Compare `reason`, a fixed token of docs/protocol.md section 10; show `str(error)`.

    `code` says what to do: retry_call (the same again), retry_later (after `retry_after` seconds), fix_input,
    not_found, conflict, exhausted, data_loss, internal."""

    def __init__(self, code: str, reason: str, message: str = "", retry_after: float = 0.0) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class WaitTimeout(AssayError, TimeoutError):
    """The time given for a wait was over; the task goes on, and may be awaited again."""

    def __init__(self, message: str) -> None:
        super().__init__("retry_later", "wait_timeout", message)


class MalformedMessage(AssayError):
    """Bytes that are no message of the protocol, with the place, what was expected and what was found."""

    def __init__(self, message: str) -> None:
        super().__init__("fix_input", "malformed_message", message)
