"""How things look in a notebook and in a line of text. Everything shown came from code that is not trusted: control
characters are taken out, markup is escaped."""

from __future__ import annotations

import dataclasses
import html
from datetime import datetime
from typing import Any, Iterable

_COLOURS = {"succeeded": "#1a7f37", "passed": "#1a7f37", "failed": "#cf222e", "dead": "#cf222e", "error": "#cf222e",
            "crashed": "#cf222e", "cancelled": "#9a6700", "timeout": "#9a6700", "running": "#0969da"}
_TEXT_MAX = 300
_ROWS_MAX = 50


def printable(text: str, at_most: int = _TEXT_MAX) -> str:
    """One line without control characters."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    clean = " ".join(clean.split())
    return clean if len(clean) <= at_most else clean[:at_most - 1] + "…"


def event_text(event: Any) -> str:
    """An event as a line for people."""
    about = event.task or event.worker or event.queue
    if event.kind == "progress":
        figures = f"{event.done} of {event.total}" if event.total else str(event.done)
        return printable(f"{about} {figures} {event.text}")
    if event.kind == "state":
        return printable(f"{about} {event.state} {event.text}")
    return printable(f"{about} {event.kind}: {event.text}")


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict):
        return html.escape(printable(", ".join(f"{key}={text}" for key, text in value.items())))
    if isinstance(value, (list, tuple)):
        return html.escape(printable(", ".join(map(str, value))))
    if isinstance(value, float):
        return f"{value:.4g}"
    text = "" if value is None else html.escape(printable(str(value)))
    return f'<b style="color:{_COLOURS[text]}">{text}</b>' if text in _COLOURS else text


def rows_html(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in heads)
    lines = ["<tr>" + "".join(f"<td style='text-align:left'>{_cell(value)}</td>" for value in row) + "</tr>"
             for row in rows]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def table_html(items: list[Any]) -> str:
    """Values of one class, a row each."""
    if not items:
        return "<i>none</i>"
    heads = [key.name for key in dataclasses.fields(items[0]) if key.name not in ("attempts", "usage", "content")]
    table = rows_html(heads, ([getattr(item, name) for name in heads] for item in items[:_ROWS_MAX]))
    return table + (f"<i>… and {len(items) - _ROWS_MAX} more</i>" if len(items) > _ROWS_MAX else "")


def task_html(task: Any) -> str:
    """A task's story: what it is, and each of its attempts."""
    head = f"<b>{_cell(task.id)}</b> {_cell(task.state)} in {_cell(task.queue)}, of {_cell(task.owner)}"
    reason = f"<br>{_cell(task.reason)}" if task.reason else ""
    attempts = rows_html(("attempt", "worker", "started", "ended", "because"),
                         ((a.attempt, a.worker, a.started_at, a.ended_at, a.ended_because) for a in task.attempts))
    return head + reason + (attempts if task.attempts else "")


def result_html(result: Any) -> str:
    """A result; of an evaluation its verdict, its means, and the tests that need a look."""
    document = result.document
    head = f"<b>{_cell(document.get('name') or result.id)}</b> {_cell(document.get('status') or result.state)}"
    reason = _cell(str(document.get("reason") or result.reason))
    parts = [head + (f"<br>{reason}" if reason else "")]
    if document.get("counts"):
        parts.append(_cell({key: value for key, value in document["counts"].items() if value}))
    means = [("score", result.scores)] if result.scores.get("count") else []
    means += [(name, spread) for name, spread in (document.get("metrics") or {}).items() if isinstance(spread, dict)]
    if means:
        parts.append(rows_html(("", "mean", "min", "max", "of"), (
            (name, spread.get("mean"), spread.get("min"), spread.get("max"), spread.get("count"))
            for name, spread in means[:_ROWS_MAX])))
    trouble = [test for test in result.tests
               if isinstance(test, dict) and test.get("outcome") not in ("passed", "scored")]
    if trouble:
        parts.append(rows_html(("test", "outcome", "reason"), (
            (test.get("name"), test.get("outcome"), test.get("reason")) for test in trouble[:_ROWS_MAX])))
    return "<br>".join(parts[:1]) + "".join(f"<div>{part}</div>" for part in parts[1:])


def progress_html(name: str, state: str, done: int, total: int, text: str) -> str:
    """A bar with what it says."""
    percent = min(100, 100 * done // total) if total else 0
    figures = f"{done} of {total}" if total else ""
    bar = (f"<div style='width:20em;background:#ddd'>"
           f"<div style='width:{percent}%;height:.6em;background:#0969da'></div></div>") if total else ""
    return f"<b>{_cell(name)}</b> {_cell(state)} {_cell(figures)} {_cell(text)}{bar}"
