"""assay: submit evaluations and other tasks to a broker, follow them, and run workers of one's own.

    import assay
    with assay.Client("tcp://127.0.0.1:5555") as broker:
        task = broker.evaluate("my_eval.py", tests=200, timeout=600)
        for event in task.progress():
            print(event)
        print(task.result().scores)

`assay.aio` has the same for asyncio, `assay.Worker` turns a function into a worker."""

from assay.client import Client, Task
from assay.errors import AssayError, MalformedMessage, WaitTimeout
from assay.ids import derived_id, new_id
from assay.model import Cancelled, Event, QueueInfo, Result, TaskInfo, TaskSpec, WorkerInfo
from assay.subscriber import Subscriber
from assay.worker import Assignment, Context, Failure, HandOver, Outcome, Retry, Snooze, Worker

__version__ = "0.1.0"
__all__ = ["AssayError", "Assignment", "Cancelled", "Client", "Context", "Event", "Failure", "HandOver",
           "MalformedMessage", "Outcome", "QueueInfo", "Result", "Retry", "Snooze", "Subscriber", "Task", "TaskInfo",
           "TaskSpec", "WaitTimeout", "Worker", "WorkerInfo", "derived_id", "new_id"]
