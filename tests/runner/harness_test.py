"""The runner against the real harness, where that has been built: both must speak one protocol."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from fake_harness import RUNNER, SOURCE

HARNESS = os.path.join(os.environ.get("ASSAY_BIN", ""), "assay-harness")


@unittest.skipUnless(os.access(HARNESS, os.X_OK), "assay-harness has not been built")
class HarnessTest(unittest.TestCase):
    def start(self, entry, test_timeout_ms=10000, **job):
        """The harness, listening; the folder of the submission, and where it listens."""
        folder = tempfile.mkdtemp(prefix="assay-harness-")
        self.addCleanup(shutil.rmtree, folder)
        work = os.path.join(folder, "work")
        os.mkdir(work)
        shutil.copy(os.path.join(SOURCE, "examples", entry), os.path.join(work, entry))
        plan = {
            "protocol": 1,
            "job": dict(
                {
                    "mode": "script",
                    "entry": entry,
                    "submission": work,
                    "endpoints": {},
                    "endpoint": "",
                    "model": "",
                    "config": None,
                    "arguments": [],
                    "output_bytes_max": 100000,
                    "seed": 0,
                    "outputs": ["executed.ipynb"],
                },
                **job,
            ),
            "tests": None,
            "discover_only": False,
            "test_timeout_ms": test_timeout_ms,
            "load_timeout_ms": 20000,
            "deadline_ms": 60000,
            "kill_grace_ms": 2000,
            "connect_timeout_ms": 20000,
            "concurrency": 1,
            "restarts_max": 0,
            "results_max": 1000,
            "line_bytes_max": 8388608,
        }
        plan_path, socket_path = os.path.join(folder, "plan.json"), os.path.join(folder, "h.sock")
        with open(plan_path, "w") as file:
            json.dump(plan, file)
        harness = subprocess.Popen(
            [HARNESS, "--plan", plan_path, "--socket", socket_path], stdout=subprocess.PIPE
        )
        self.assertEqual(json.loads(harness.stdout.readline())["event"], "listening")
        return harness, work, socket_path

    def events_of(self, entry, test_timeout_ms=10000, **job):
        harness, work, socket_path = self.start(entry, test_timeout_ms, **job)
        runner = subprocess.Popen(
            [sys.executable, RUNNER, "--socket", socket_path],
            cwd=work,
            env=dict(os.environ, TMPDIR=os.path.dirname(work)),
            stdout=subprocess.DEVNULL,
        )
        out, _ = harness.communicate(timeout=60)
        runner.wait(20)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(harness.returncode, 0, events[-3:])
        self.assertEqual(events[-1]["reason"], "done", events[-1])
        return events

    def test_told_to_end_it_says_not_a_word_more(self):
        harness, _, _ = self.start("misbehaving.py")
        harness.terminate()
        out, _ = harness.communicate(timeout=60)
        # By its own handler: without one process 1 of a container would go on.
        self.assertEqual((harness.returncode, out), (143, b""))

    def test_misbehaving_tests_end_as_their_names_say(self):
        events = self.events_of("misbehaving.py", test_timeout_ms=400)
        results = {e["test"]: e["outcome"] for e in events if e["event"] == "result"}
        self.assertEqual(len(results), 12)
        for name, outcome in results.items():
            kind = name.split("_")[1]
            self.assertEqual(outcome, "passed" if kind == "fine" else kind, name)
        self.assertNotIn("respawn", [event["event"] for event in events])

    def test_notebook_streams_its_cells_and_comes_back(self):
        events = self.events_of("analysis.ipynb", mode="notebook")
        partials = [event["name"] for event in events if event["event"] == "partial"]
        self.assertEqual(partials, ["cell %d" % number for number in range(1, 6)])
        result = next(event for event in events if event["event"] == "result")
        self.assertEqual(result["outcome"], "passed")
        self.assertIn("executed.ipynb", [e["path"] for e in events if e["event"] == "output"])


if __name__ == "__main__":
    unittest.main()
