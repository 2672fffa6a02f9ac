"""The feed has no holes: subscribers of which one is stopped for a while and one comes back all the time, while events
flow and the broker is killed twice, each see every durable event once and in order.

ASSAY_SOAK=1 is the full size (20 subscribers, 200,000 events); the usual one is the same scene, smaller."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from broker import Broker

import assay

SOAK = bool(os.environ.get("ASSAY_SOAK"))
SUBSCRIBERS = 20 if SOAK else 5
TASKS = 66_667 if SOAK else 2000  # of three durable events each
RECONNECT_EVERY = 5000 if SOAK else 300
STOPPED_FOR = 10_000 if SOAK else 1000  # tasks that end while one subscriber is stopped

# Writes the durable events of the queue, a line each, until the last task's end. With a third argument it leaves its
# socket after so many and goes on where it was with another.
SUBSCRIBER = """
import assay, sys
broker, feed, last, every = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
after, ended = 0, 0

while ended < last:
    with assay.Client(broker, feed=feed, call_timeout=60) as client:
        with assay.Subscriber(client, queue="flow", after=after) as events:
            seen = 0
            while ended < last and (not every or seen < every):
                event = events.next(1)
                if event is None:
                    continue
                after, seen = event.sequence, seen + 1
                if event.kind == "state":
                    ended += event.ended
                    print(event.sequence, event.task, event.state)
"""


class FeedTest(unittest.TestCase):
    def test_every_subscriber_sees_every_durable_event_once_and_in_order(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        broker = self.enterContext(Broker())
        worker = assay.Worker(lambda task, context: context.progress(1, 1), queues=["flow"], slots=64,
                              broker=broker.workers).start()
        self.addCleanup(worker.stop)
        client = self.enterContext(assay.Client(broker.clients, feed=broker.feed, call_timeout=60))
        while not any(each.name == worker.name for each in client.workers()):
            pass
        subscribers = [self.subscriber(broker, folder, number) for number in range(SUBSCRIBERS)]
        stopped = subscribers[0]
        run = assay.new_id()
        ids = [assay.derived_id(run, str(number)) for number in range(TASKS)]
        marks = {TASKS // 5: lambda: stopped.send_signal(signal.SIGSTOP), TASKS // 3: broker.restart,
                 TASKS // 5 + STOPPED_FOR: lambda: stopped.send_signal(signal.SIGCONT), TASKS * 2 // 3: broker.restart}
        flow = threading.Thread(
            target=lambda: client.submit_many((assay.TaskSpec("flow", id=task) for task in ids), timeout=120))
        flow.start()
        flow.join()
        ended = 0
        for result in client.as_completed(ids, timeout=900):
            self.assertTrue(result.ok, result)
            ended += 1
            if ended in marks:
                marks.pop(ended)()
        self.assertEqual((ended, marks), (TASKS, {}))
        stories = []
        for number, subscriber in enumerate(subscribers):
            self.assertEqual(subscriber.wait(600), 0, f"subscriber {number}")
            with open(os.path.join(folder, str(number)), encoding="ascii") as file:
                stories.append([line.split() for line in file])
        for number, story in enumerate(stories):
            sequences = [int(line[0]) for line in story]
            self.assertEqual(sequences, sorted(set(sequences)), f"subscriber {number}: once and in order")
            by_task = {}
            for _, task, state in story:
                by_task.setdefault(task, []).append(state)
            self.assertEqual(set(by_task), set(ids))
            for states in by_task.values():
                self.assertEqual((states[0], states[1], states[-1]), ("queued", "running", "succeeded"))
            self.assertEqual(story, stories[0], f"subscriber {number} saw what the first saw")

    def subscriber(self, broker, folder, number):
        every = RECONNECT_EVERY if number == 1 else 0
        with open(os.path.join(folder, str(number)), "wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-B", "-c", SUBSCRIBER, broker.clients,
                 broker.feed, str(TASKS), str(every)], stdout=out)
        self.addCleanup(process.kill)
        return process


if __name__ == "__main__":
    unittest.main()
