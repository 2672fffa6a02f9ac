"""Notebooks, in an IPython kernel where there is one and in the runner's own."""

import importlib.util
import json
import os
import unittest

from fake_harness import FakeHarness, is_alive
from model_server import ModelServer


SEED_BATTERY = """import safety_eval_toolkit as st
results = st.run_standard_battery(model_id)
st.visualize_results(results)"""


def notebook(*sources, **tags):
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "# Title"}]
    for i, source in enumerate(sources, 1):
        metadata = {"tags": tags["cell%d" % i]} if "cell%d" % i in tags else {}
        cells.append(
            {
                "cell_type": "code",
                "metadata": metadata,
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


class NotebookCase(unittest.TestCase):
    kernel = "own"

    def setUp(self):
        os.environ["ASSAY_NOTEBOOK_KERNEL"] = self.kernel
        self.addCleanup(os.environ.pop, "ASSAY_NOTEBOOK_KERNEL")

    def run_notebook(self, content, **job):
        with FakeHarness({"book.ipynb": content}, mode="notebook", **job) as harness:
            self.assertEqual(harness.load().get("tests"), [{"name": "book.ipynb", "streams": True}])
            end = harness.run("book.ipynb")
            self.assertEqual(harness.finish(), 0)
            self.partials, self.log = harness.partials, harness.log()
            executed = harness.outputs.get("executed.ipynb")
        self.cells = (
            [c for c in json.loads(executed)["cells"] if c["cell_type"] == "code"]
            if executed
            else []
        )
        return end

    def check_outputs(self, *more, **job):
        self.end = self.run_notebook(
            notebook(
                "x = 20\nprint('hello', x)",
                "x += 1\nx * 2",
                "import sys\nprint('oops', file=sys.stderr)\n\nclass T:\n"
                "    def _repr_html_(self): return '<b>t</b>'\n"
                "    def __repr__(self): return 'T!'\n"
                "T()",
                "x;",
                "%matplotlib inline\nassert my_test_suite[0].prompt",
                "display(T())\nNone",
                *more,
            ),
            **job,
        )
        numbers = range(1, 7 + len(more))
        self.assertEqual([p["name"] for p in self.partials], ["cell %d" % i for i in numbers])
        self.assertTrue(all(p["passed"] for p in self.partials))
        outputs = [cell["outputs"] for cell in self.cells]
        self.assertEqual(
            (outputs[0][0]["name"], "".join(outputs[0][0]["text"])), ("stdout", "hello 20\n")
        )
        self.assertEqual("".join(outputs[1][0]["data"]["text/plain"]), "42")
        self.assertEqual(outputs[1][0]["execution_count"], 2)
        self.assertEqual(outputs[2][0]["name"], "stderr")
        self.assertEqual("".join(outputs[2][1]["data"]["text/html"]), "<b>t</b>")
        self.assertEqual("".join(outputs[2][1]["data"]["text/plain"]), "T!")
        self.assertEqual(outputs[3], [])
        self.assertEqual(outputs[5][0]["output_type"], "display_data")
        self.assertIn("book.ipynb | hello 20", self.log)

    def check_first_error(self):
        end = self.run_notebook(notebook("a = 1", "nosuch", "print('never')"))
        self.assertIsNone(end["passed"])
        self.assertEqual(end["reason"], "cell 2: NameError: name 'nosuch' is not defined")
        self.assertIn("nosuch", end["detail"])
        self.assertNotIn("\x1b", end["detail"])
        self.assertEqual([p["passed"] for p in self.partials], [True, None])
        self.assertEqual(self.cells[1]["outputs"][0]["ename"], "NameError")
        self.assertEqual(self.cells[2]["outputs"], [])


class OwnKernelTest(NotebookCase):
    def test_cells_run_in_order_and_their_outputs_are_kept(self):
        self.check_outputs()
        self.assertEqual((self.end["passed"], self.end["reason"]), (True, "6 cells"))

    def test_first_error_ends_it(self):
        self.check_first_error()

    def test_failed_assertion_is_a_verdict(self):
        self.assertIs(self.run_notebook(notebook("assert 1 == 2, 'unequal'"))["passed"], False)
        self.assertEqual([p["passed"] for p in self.partials], [False])

    def test_error_that_is_expected_does_not_end_it(self):
        end = self.run_notebook(notebook("1 / 0", "print('on')", cell1=["raises-exception"]))
        self.assertIs(end["passed"], True)
        self.assertEqual(self.cells[0]["outputs"][0]["ename"], "ZeroDivisionError")

    def test_notebook_gives_its_own_verdict(self):
        end = self.run_notebook(notebook("assay_result = {'score': 0.75, 'metrics': {'n': 4}}"))
        self.assertEqual((end["passed"], end["score"], end["metrics"]), (None, 0.75, {"n": 4.0}))

    def test_await_at_top_level_works(self):
        self.assertIs(
            self.run_notebook(notebook("import asyncio\nawait asyncio.sleep(0, 5)"))["passed"], True
        )
        self.assertEqual("".join(self.cells[0]["outputs"][0]["data"]["text/plain"]), "5")

    def test_seeds_own_example_runs(self):
        content = notebook(*SEED_BATTERY.splitlines())
        with ModelServer() as server:
            end = self.run_notebook(content, **server.job)
        self.assertIs(end["passed"], True, end)
        self.assertEqual(end["metrics"]["model_requests"], 12.0)
        self.assertIn("image/svg+xml", self.cells[2]["outputs"][0]["data"])

    def test_lost_kernel_is_told(self):
        end = self.run_notebook(notebook("print('a', flush=True)", "import os\nos._exit(3)"))
        self.assertEqual((end["type"], end["exit_code"]), ("ended", 3))

    def test_flood_is_stopped(self):
        content = notebook("while True:\n    print('z' * 1000)")
        end = self.run_notebook(content, output_bytes_max=100000)
        self.assertIn(
            end.get("limit") or end.get("reason"), ("output", "its cells put out too much")
        )


@unittest.skipUnless(
    all(importlib.util.find_spec(name) for name in ("nbclient", "nbformat", "ipykernel")),
    "no nbclient here",
)
class JupyterKernelTest(NotebookCase):
    """Few and full, because an IPython kernel takes a second or two to come and go."""

    kernel = "jupyter"

    def test_cells_run_in_order_and_their_outputs_are_kept(self):
        with ModelServer() as server:
            self.check_outputs("%who_ls", "!true", SEED_BATTERY, "assay_result = 0.5", **server.job)
        self.assertEqual((self.end["passed"], self.end["score"]), (None, 0.5), self.end)
        self.assertEqual(self.end["metrics"]["model_requests"], 12.0)

    def test_first_error_ends_it(self):
        self.check_first_error()

    def test_lost_kernel_is_told(self):
        end = self.run_notebook(notebook("print('a', flush=True)", "import os\nos._exit(3)"))
        self.assertIn("DeadKernelError", end["reason"])

    def test_hanging_kernel_is_ended(self):
        sources = (
            "import os, time\nopen('pid', 'w').write('%d\\n' % os.getpid())",
            "time.sleep(600)",
        )
        with FakeHarness({"book.ipynb": notebook(*sources)}, mode="notebook") as harness:
            harness.names()
            harness.start("book.ipynb")
            pid = int(harness.wait_for_file("pid"))
            self.assertEqual(harness.kill("book.ipynb")["signal"], 9)
            self.assertFalse(is_alive(pid))


class OwnKernelLimitsTest(unittest.TestCase):
    def test_magic_that_needs_ipython_is_named(self):
        os.environ["ASSAY_NOTEBOOK_KERNEL"] = "own"
        self.addCleanup(os.environ.pop, "ASSAY_NOTEBOOK_KERNEL")
        with FakeHarness({"b.ipynb": notebook("x = 1\n%time x")}, mode="notebook") as harness:
            harness.names()
            self.assertIn("'%time x' is for IPython", harness.run("b.ipynb")["reason"])

    def test_files_that_are_no_notebooks_are_refused(self):
        r_language = json.loads(notebook("1"))
        r_language["metadata"] = {"kernelspec": {"name": "ir", "language": "R"}}
        for content, words in (
            ("{", "is no notebook"),
            ('{"worksheets": []}', "is no notebook"),
            ("[1]", "is no notebook"),
            (notebook(), "no code cells"),
            (json.dumps(r_language), "language 'R'"),
        ):
            with FakeHarness({"b.ipynb": content}, mode="notebook") as harness:
                message = harness.load()
                self.assertEqual(message["type"], "load_failed")
                self.assertIn(words, message["reason"])


if __name__ == "__main__":
    unittest.main()
