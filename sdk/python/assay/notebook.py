"""A live line in a notebook while a task runs. Needs IPython, which a notebook has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay import display

if TYPE_CHECKING:
    from assay.client import Task
    from assay.model import Result


class _Line:
    """Where the task stands, as a notebook shows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "queued"
        self.done = self.total = 0
        self.text = ""

    def on_event(self, event: Any) -> None:
        if event.kind == "state":
            self.state, self.text = event.state, event.text
        elif event.kind == "progress":
            self.done, self.total, self.text = event.done, event.total, event.text

    def _repr_html_(self) -> str:
        return display.progress_html(self.name, self.state, self.done, self.total, self.text)


def watch(task: Task) -> Result:
    """Shows the task until it has ended; the cell's value is its result."""
    from IPython.display import display as show  # only a notebook has it

    line = _Line(task.id)
    shown = show(line, display_id=True)
    for event in task.progress():
        line.on_event(event)
        if shown is not None:
            shown.update(line)
    return task.result()
