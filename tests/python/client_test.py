"""The Python SDK against a real broker: submit, wait, follow, work, over restarts and in both styles."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

from broker import Broker

import assay
import assay.aio
from assay import requests


def shout(task, context):
    context.progress(1, 2, "half way")
    context.log("shouting")
    return task.text.upper()


class Case(unittest.TestCase):
    flags = ()

    def setUp(self):
        self.broker = Broker(*self.flags)
        self.addCleanup(self.broker.close)

    def client(self, **options):
        client = assay.Client(self.broker.clients, feed=self.broker.feed, **options)
        self.addCleanup(client.close)
        return client

    def worker(self, handler, queue="shout", **options):
        worker = assay.Worker(handler, queues=[queue], broker=self.broker.workers, **options).start()
        self.addCleanup(worker.stop)
        client = self.client()
        while not any(each.name == worker.name for each in client.workers()):
            pass
        return worker


class ClientTest(Case):
    def test_a_function_is_a_worker_and_its_result_comes_back(self):
        self.worker(shout)
        task = self.client().submit("shout", "hello", labels={"for": "test"})
        result = task.result(timeout=20)
        self.assertEqual((result.state, result.value, result.attempt), ("succeeded", "HELLO", 1))
        self.assertTrue(result.ok)
        status = task.status()
        self.assertEqual((status.state, status.labels, len(status.attempts)), ("succeeded", {"for": "test"}, 1))

    def test_progress_has_every_event_in_order_and_ends_with_the_task(self):
        self.worker(shout)
        task = self.client().submit("shout", "hello")
        events = list(task.progress(timeout=20))
        self.assertEqual(events, sorted(events, key=lambda event: event.sequence))
        states = [event.state for event in events if event.kind == "state"]
        self.assertEqual(states, ["queued", "running", "succeeded"])
        self.assertIn((1, 2, "half way"), [(e.done, e.total, e.text) for e in events if e.kind == "progress"])
        self.assertIn("shouting", [event.text for event in events if event.kind == "log"])
        self.assertEqual([e.sequence for e in task.progress(timeout=20)], [e.sequence for e in events], "again")

    def test_outcomes_are_what_a_handler_says(self):
        def handler(task, context):
            if task.text == "fail":
                raise assay.Failure("no", result={"score": 0})
            if task.text == "raise":
                raise ValueError("odd")
            if task.text == "retry" and task.attempt == 1:
                return assay.Retry("not yet", delay=0.01)
            if task.text == "bad":
                return object()
            if task.text == "json":
                return {"answer": [42]}
            return b"\xff"

        self.worker(handler, slots=4)
        client = self.client()
        tasks = [client.submit("shout", body, max_attempts=2) for body in ("fail", "raise", "retry", "bad", "json")]
        results = client.wait_all(tasks, timeout=20)
        self.assertEqual([(r.state, r.cause) for r in results],
                         [("failed", "task"), ("failed", "task"), ("succeeded", "none"), ("failed", "task"),
                          ("succeeded", "none")])
        self.assertEqual((results[0].reason, results[0].value), ("no", {"score": 0}))
        self.assertEqual(results[1].reason, "ValueError: odd")
        self.assertEqual((results[2].attempt, results[2].content), (2, b"\xff"))
        self.assertEqual(results[4].value, {"answer": [42]})

    def test_cancel_reaches_a_running_handler(self):
        begun = threading.Event()

        def handler(task, context):
            begun.set()
            self.assertTrue(context.wait_cancelled(30))
            context.check()

        self.worker(handler)
        client = self.client()
        task = client.submit("shout")
        self.assertTrue(begun.wait(20))
        self.assertEqual(task.cancel("enough").requested, (task.id,))
        self.assertEqual(task.result(20).state, "cancelled")

    def test_a_coroutine_is_a_worker_and_is_cancelled_with_its_task(self):
        begun = threading.Event()

        async def handler(task, context):
            if task.text == "wait":
                begun.set()
                await asyncio.Event().wait()
            return task.text[::-1]

        self.worker(handler, slots=2)
        client = self.client()
        self.assertEqual(client.submit("shout", "abc").result(20).value, "cba")
        task = client.submit("shout", "wait")
        self.assertTrue(begun.wait(20))
        task.cancel()
        self.assertEqual(task.result(20).state, "cancelled")

    def test_a_dag_gets_the_results_of_what_it_comes_after(self):
        self.worker(lambda task, context: sum(each.value for each in task.inputs) if task.inputs else task.value)
        first, second = (assay.TaskSpec("shout", number) for number in (20, 22))
        total = assay.TaskSpec("shout", after=[first, second])
        tasks = self.client().submit_all([first, second, total])
        self.assertEqual(tasks[2].result(20).value, 42)

    def test_five_thousand_are_awaited_on_one_socket(self):
        self.worker(lambda task, context: task.body, slots=16)
        client = self.client()
        tasks = client.submit_many(assay.TaskSpec("shout", str(number)) for number in range(5000))
        results = client.wait_all(tasks, timeout=120)
        self.assertEqual([int(result.content) for result in results], list(range(5000)))

    def test_refusals_are_errors_that_say_what_to_do(self):
        client = self.client()
        for call, reason in ((lambda: client.submit("nobody-serves-this"), "unknown_queue"),
                             (lambda: client.submit("no/name"), "invalid_task"),
                             (lambda: client.status(assay.new_id()), "unknown_task"),
                             (lambda: client.wait(assay.new_id(), 5), "unknown_task"),
                             (lambda: client.operate("pause_queue", "none-such"), "unknown_queue"),
                             (lambda: assay.Client("nonsense"), "invalid_endpoint"),
                             (lambda: assay.Client(self.broker.clients, server_key="a" * 64), "lacking_key")):
            with self.assertRaises(assay.AssayError) as caught:
                call()
            self.assertEqual(caught.exception.reason, reason)
        self.worker(shout)
        with self.assertRaises(assay.WaitTimeout):
            client.submit("shout", not_before=3600).result(timeout=0.01)

    def test_no_broker_is_an_error_in_time(self):
        with assay.Client("tcp://127.0.0.1:1", call_timeout=0.2) as client:
            with self.assertRaises(assay.AssayError) as caught:
                client.queues()
        self.assertEqual((caught.exception.code, caught.exception.reason), ("retry_call", "broker_unreachable"))

    def test_lists_queues_and_workers(self):
        worker = self.worker(shout, labels={"gpu": "none"})
        client = self.client(owner="red-team")
        task = client.submit("shout", "x")
        task.result(20)
        self.assertEqual([each.id for each in client.tasks(owner="red-team", states=["succeeded"])], [task.id])
        self.assertIn(("shout", 1), [(each.name, each.workers) for each in client.queues()])
        self.assertEqual([(each.name, each.labels) for each in client.workers()], [(worker.name, {"gpu": "none"})])
        self.assertEqual(client.task(task.id[:20].lower()).id, task.id)

    def test_a_notebook_sees_tables_and_no_markup_of_others(self):
        def handler(task, context):
            raise assay.Failure("<script>alert(1)</script>\x1b[31m")

        self.worker(handler)
        client = self.client()
        task = client.submit("shout", "x")
        result = task.result(20)
        for shown in (result, task, task.status(), client.tasks(), client.queues(), client.workers()):
            markup = shown._repr_html_()
            self.assertNotIn("<script", markup)
            self.assertNotIn("\x1b", markup)
        self.assertIn("&lt;script&gt;", result._repr_html_())


class RestartTest(Case):
    def test_waits_and_workers_live_through_a_killed_broker(self):
        go = threading.Event()

        def handler(task, context):
            go.wait(60)
            return f"{task.text} {task.attempt}"

        self.worker(handler, slots=8)
        client = self.client(call_timeout=30)
        tasks = [client.submit("shout", str(number)) for number in range(20)]
        self.broker.restart()
        go.set()
        self.assertEqual(client.submit("shout", "late").result(60).value, "late 1")
        self.assertEqual([result.value for result in client.wait_all(tasks, 60)], [f"{n} 1" for n in range(20)],
                         "nothing ran twice")

    def test_a_producer_killed_in_the_middle_and_run_again_submits_nothing_twice(self):
        self.worker(lambda task, context: task.body, slots=8)
        run = assay.new_id()
        program = ("import assay, os, sys\n"
                   "client = assay.Client(sys.argv[1])\n"
                   "def tasks():\n"
                   "    for number in range(3000):\n"
                   "        if number == 2500 and len(sys.argv) > 3: os.kill(os.getpid(), 9)\n"
                   "        yield assay.TaskSpec('shout', str(number))\n"
                   "print(len(client.submit_many(tasks(), run=sys.argv[2])))\n")

        def producer(*arguments):
            return subprocess.run([sys.executable, "-B", "-c", program, self.broker.clients, run, *arguments],
                                  capture_output=True, text=True)

        self.assertEqual(producer("die").returncode, -signal.SIGKILL)
        client = self.client()
        ids = [assay.derived_id(run, str(number)) for number in range(3000)]
        # Asked for apart: an answer with many results comes in several messages.
        self.assertEqual(client.ask(requests.results_now(ids[1999:2000]))["unknown"], [])
        self.assertEqual(client.ask(requests.results_now(ids[2000:]))["unknown"], ids[2000:],
                         "it was killed with two parts submitted")
        again = producer()
        self.assertEqual((again.stdout, again.stderr), ("3000\n", ""))
        results = client.wait_all(ids, 60)
        self.assertEqual([int(result.content) for result in results], list(range(3000)))
        self.assertEqual({result.attempt for result in results}, {1})


class AioTest(Case):
    def test_many_calls_at_once_over_one_socket(self):
        self.worker(shout, slots=4)

        async def scene():
            async with assay.aio.Client(self.broker.clients, feed=self.broker.feed) as client:
                tasks = await asyncio.gather(*(client.submit("shout", f"a{number}") for number in range(200)))
                results = await asyncio.gather(*(task.result(60) for task in tasks))
                events = [event async for event in tasks[0].progress()]
                infos = await asyncio.gather(*(task.status() for task in tasks[:20]))
                with self.assertRaises(assay.AssayError):
                    await client.wait(assay.new_id())
                return results, events, infos

        results, events, infos = asyncio.run(scene())
        self.assertEqual([result.value for result in results], [f"A{number}" for number in range(200)])
        self.assertEqual([e.state for e in events if e.kind == "state"], ["queued", "running", "succeeded"])
        self.assertEqual({info.state for info in infos}, {"succeeded"})

    def test_a_hundred_clients_at_once(self):
        self.worker(shout, slots=8)

        async def one(number):
            async with assay.aio.Client(self.broker.clients, feed=self.broker.feed, call_timeout=60) as client:
                tasks = await client.submit_all([assay.TaskSpec("shout", f"c{number} t{task}") for task in range(5)])
                return [result.value for result in await client.wait_all(tasks, 100)]

        async def scene():
            return await asyncio.gather(*(one(number) for number in range(100)))

        expected = [[f"C{number} T{task}" for task in range(5)] for number in range(100)]
        self.assertEqual(asyncio.run(scene()), expected)

    def test_a_subscriber_misses_nothing_over_a_restart(self):
        self.worker(shout)

        async def scene():
            async with assay.aio.Client(self.broker.clients, feed=self.broker.feed, call_timeout=30) as client:
                async with assay.aio.Subscriber(client, queue="shout") as events:
                    first = await client.submit("shout", "one")
                    await first.result(30)
                    await asyncio.to_thread(self.broker.restart)
                    second = await client.submit("shout", "two")
                    seen = []
                    async for event in events:
                        if event.kind == "state":
                            seen.append((event.task, event.state))
                        if event.ended and event.task == second.id:
                            return seen, first.id, second.id

        seen, first, second = asyncio.run(scene())
        story = ["queued", "running", "succeeded"]
        self.assertEqual(seen, [(first, state) for state in story] + [(second, state) for state in story])


class WorkerProcessTest(Case):
    def test_sigterm_drains(self):
        program = ("import assay, sys\n"
                   "def handler(task, context):\n"
                   "    context.progress(1, 2)\n"
                   "    while not context.wait_cancelled(0.01) and not open(sys.argv[2]).read(): pass\n"
                   "    return 'finished'\n"
                   "assay.Worker(handler, queues=['slow'], broker=sys.argv[1]).run()\n")
        gate = os.path.join(self.broker._folder.name, "gate")
        open(gate, "w").close()
        process = subprocess.Popen([sys.executable, "-B", "-c", program, self.broker.workers, gate])
        self.addCleanup(process.kill)
        client = self.client()
        while not client.workers():
            pass
        task = client.submit("slow")
        for event in task.progress(30):
            if event.kind == "progress":
                process.send_signal(signal.SIGTERM)
                with open(gate, "w") as file:
                    file.write("go")
        self.assertEqual(task.result(30).value, "finished")
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(client.workers(), [])


if __name__ == "__main__":
    began = time.monotonic()
    unittest.main()
