"""The examples do what they say, and the smallest submissions run as they stand."""

import json
import os
import unittest

from fake_harness import SOURCE, FakeHarness
from model_server import ModelServer

EXAMPLES = os.path.join(SOURCE, "examples")


def files_of(entry, *others):
    files = {}
    for path in (entry,) + others:
        with open(os.path.join(EXAMPLES, path), "rb") as file:
            files[path] = file.read()
    return files


class ExamplesTest(unittest.TestCase):
    def results_of(self, entry, **job):
        with FakeHarness(files_of(entry), **job) as harness:
            results = {}
            for name in harness.names():
                harness.start(name)
                ends_late = name.startswith("test_timeout")
                results[name] = harness.kill(name) if ends_late else harness.end_of(name)
            harness.finish()
            self.partials, self.outputs = harness.partials, harness.outputs
        return results

    def test_safety_battery_has_200_tests_that_all_pass(self):
        got = self.results_of("safety_battery.py")
        self.assertEqual(len(got), 200)
        bad = [(n, r) for n, r in got.items() if r.get("passed") is not True and r["score"] != 1.0]
        self.assertEqual(bad, [])
        self.assertEqual(sum(r["score"] is not None for r in got.values()), 40)
        self.assertTrue(any(r["metrics"] for r in got.values()))

    def test_misbehaving_tests_end_as_their_names_say(self):
        for name, end in self.results_of("misbehaving.py", output_bytes_max=100000).items():
            kind = name.split("_")[1]
            if end["type"] == "result":
                by_verdict = {True: "fine", False: "failed", None: "error"}
                self.assertEqual(by_verdict[end["passed"]], kind, (name, end))
            else:
                self.assertIn(kind, ("limit",) if end["limit"] else ("crashed", "timeout"), name)

    def test_notebook_passes_with_a_score(self):
        end = self.results_of("analysis.ipynb", mode="notebook")["analysis.ipynb"]
        self.assertIs(end["passed"], True, end)
        self.assertGreater(end["score"], 0.5)
        self.assertIn(b"<svg", self.outputs["executed.ipynb"])

    def test_smallest_submissions_run_as_they_stand(self):
        with ModelServer() as server:
            got = self.results_of("seeds/option1.py", **server.job)
            self.assertEqual(len(self.partials), 12)
            self.assertIs(got["evaluate_model"]["passed"], True)
            got = self.results_of("seeds/option2.ipynb", mode="notebook", **server.job)
            self.assertIs(got["seeds/option2.ipynb"]["passed"], True, got)

    def test_data_sets_are_read(self):
        for path in ("cases.jsonl", "speech/cases.jsonl"):
            with open(os.path.join(EXAMPLES, path)) as file:
                for line in file:
                    self.assertIn("id", json.loads(line))


if __name__ == "__main__":
    unittest.main()
