"""Scripts: what counts as a test, and what each way of giving a result becomes."""

import unittest

from fake_harness import FakeHarness

RESULTS = """
import asyncio
def test_none(): pass
def test_true(): return True
def test_false(): return False
def test_score(): return 0.25
def test_one(): return 1
def test_dict():
    metrics = {"seen": 3, "bad": float("nan")}
    return {"passed": True, "score": 0.5, "metrics": metrics, "reason": "fine"}
def test_metrics(): return {"accuracy": 0.75}
def test_above(): return 1.5
def test_object(): return object()
def test_assert():
    total = 5
    assert total == 6
def test_message(): assert 1 > 2, "one is not more"
def test_bare(): assert not [1]
def test_raises():
    raise ValueError("no luck")
async def test_async():
    await asyncio.sleep(0)
    return 0.5
def test_unicode(): return {"passed": False, "reason": "ünï \\ud800 \\U0001f600 \\x00"}
def test_exits():
    import sys
    sys.exit(0)
def test_skips():
    import unittest
    raise unittest.SkipTest("not today")
def test_wants(thing): pass
def test_generator():
    yield True
    yield 0.5
    yield {"name": "third", "passed": False, "reason": "no"}
def helper(): return 1
if __name__ == "__main__":
    raise RuntimeError("the main block has run")
"""


class ScriptTest(unittest.TestCase):
    def results_of(self, source, **job):
        with FakeHarness({"my_eval.py": source}, **job) as harness:
            results = {name: harness.run(name) for name in harness.names()}
            self.assertEqual(harness.finish(), 0)
            self.partials, self.progress, self.log = (
                harness.partials,
                harness.progress,
                harness.log(),
            )
        return results

    def test_every_form_of_a_result_is_understood(self):
        got = self.results_of(RESULTS)
        short = {name: (r["passed"], r["score"]) for name, r in got.items()}
        self.assertEqual(short.pop("test_none"), (True, None))
        self.assertEqual(short.pop("test_true"), (True, None))
        self.assertEqual(short.pop("test_false"), (False, None))
        self.assertEqual(short.pop("test_score"), (None, 0.25))
        self.assertEqual(short.pop("test_one"), (None, 1.0))
        self.assertEqual(short.pop("test_dict"), (True, 0.5))
        self.assertEqual(got["test_dict"]["metrics"], {"seen": 3.0})
        self.assertEqual(got["test_dict"]["reason"], "fine")
        self.assertEqual(short.pop("test_metrics"), (True, None))
        self.assertEqual(got["test_metrics"]["metrics"], {"accuracy": 0.75})
        self.assertEqual(short.pop("test_assert"), (False, None))
        self.assertEqual(got["test_assert"]["reason"], "assert total == 6 (left: 5, right: 6)")
        self.assertIn("in test_assert", got["test_assert"]["detail"])
        self.assertNotIn("runner.py", got["test_assert"]["detail"])
        self.assertEqual(short.pop("test_message"), (False, None))
        self.assertEqual(got["test_message"]["reason"], "one is not more")
        self.assertEqual(short.pop("test_bare"), (False, None))
        self.assertIn("not [1]", got["test_bare"]["reason"])
        self.assertEqual(short.pop("test_async"), (None, 0.5))
        self.assertEqual(short.pop("test_unicode"), (False, None))
        self.assertEqual(got["test_unicode"]["reason"], "ünï ? \U0001f600 \x00")
        self.assertEqual(short.pop("test_generator"), (False, 0.5))
        for name, words in {
            "test_above": "1.5 is no score",
            "test_object": "is no result",
            "test_raises": "line 20: ValueError: no luck",
            "test_exits": "sys.exit(0)",
            "test_skips": "skipped: not today",
            "test_wants": "'thing'",
        }.items():
            self.assertEqual(short.pop(name), (None, None), name)
            self.assertIn(words, got[name]["reason"])
        self.assertEqual(short, {})

    def test_generator_streams_its_results(self):
        source = (
            "def test_many():\n    for i in range(3): yield {'score': i / 2, 'name': 'n%d' % i}\n"
        )
        with FakeHarness({"a.py": source}) as harness:
            self.assertEqual(harness.load()["tests"], [{"name": "test_many", "streams": True}])
            result = harness.run("test_many")
            self.assertEqual(
                [(p["name"], p["score"]) for p in harness.partials],
                [("n0", 0), ("n1", 0.5), ("n2", 1)],
            )
            self.assertTrue(all(p["seconds"] >= 0 for p in harness.partials))
            self.assertEqual((result["passed"], result["score"]), (None, 0.5))

    def test_evaluate_model_reports_each_of_its_results(self):
        source = (
            "class Answer:\n    score = 0.5\n"
            "def evaluate_model(model_endpoint):\n"
            "    assert hasattr(model_endpoint, 'query')\n"
            "    return [True, 0.0, 'unsafe', Answer(), ('named', {'passed': True})]\n"
        )
        got = self.results_of(source)
        self.assertEqual([p["passed"] for p in self.partials], [True, None, False, None, True])
        self.assertEqual([p["score"] for p in self.partials], [None, 0.0, None, 0.5, None])
        self.assertEqual(self.partials[4]["name"], "named")
        self.assertEqual(self.progress[-1]["done"], 5)
        self.assertIs(got["evaluate_model"]["passed"], False)
        self.assertAlmostEqual(got["evaluate_model"]["score"], 0.5)
        self.assertIn("2 of 3 passed", got["evaluate_model"]["reason"])

    def test_evaluate_model_that_returns_nothing_is_an_error(self):
        for body in ("return None", "return []"):
            got = self.results_of("def evaluate_model(model):\n    " + body)["evaluate_model"]
            self.assertEqual((got["passed"], got["score"]), (None, None))
            self.assertTrue(got["reason"])

    def test_unittest_classes_are_collected(self):
        got = self.results_of(
            "import unittest\n"
            "class Sums(unittest.TestCase):\n"
            "    @classmethod\n    def setUpClass(cls): cls.two = 2\n"
            "    def test_adds(self): self.assertEqual(1 + 1, self.two)\n"
            "    def test_fails(self): self.assertEqual(1, self.two)\n"
            "    def test_raises(self): {}['x']\n"
            "    @unittest.skip('later')\n    def test_skipped(self): pass\n"
            "class TestPlain:\n"
            "    def setup_method(self): self.three = 3\n"
            "    def test_has_three(self): assert self.three == 3\n"
        )
        self.assertIs(got["Sums.test_adds"]["passed"], True)
        self.assertIs(got["Sums.test_fails"]["passed"], False)
        self.assertIn("1 != 2", got["Sums.test_fails"]["reason"])
        self.assertIsNone(got["Sums.test_raises"]["passed"])
        self.assertIn("KeyError", got["Sums.test_raises"]["reason"])
        self.assertIn("skipped: later", got["Sums.test_skipped"]["reason"])
        self.assertIs(got["TestPlain.test_has_three"]["passed"], True)

    def test_generated_functions_are_found_in_their_order(self):
        source = "for i in (2, 1):\n" "    globals()['test_%d' % i] = lambda i=i: i == 2\n"
        got = self.results_of(source)
        self.assertEqual(
            [(n, r["passed"]) for n, r in got.items()], [("test_2", True), ("test_1", False)]
        )

    def test_plain_program_passes_by_its_exit_status(self):
        cases = {
            "import sys; assert sys.argv[1:] == ['--fast']; print('x', __name__)": (True, ""),
            "import sys; sys.exit(3)": (False, "exit status 3"),
            "import sys; sys.exit('bad luck')": (False, "bad luck"),
            "import sys; sys.exit()": (True, ""),
            "if __name__ == '__main__':\n    raise KeyError('k')": (None, "line 2: KeyError: 'k'"),
        }
        for source, (passed, reason) in cases.items():
            got = self.results_of(source, arguments=["--fast"])["my_eval.py"]
            self.assertEqual((got["passed"], got["reason"]), (passed, reason), source)

    def test_tests_do_not_see_each_other(self):
        got = self.results_of(
            "seen = []\n"
            "def test_a():\n    seen.append(1); assert seen == [1]\n"
            "def test_b():\n    seen.append(2); assert seen == [2]\n"
        )
        self.assertEqual([r["passed"] for r in got.values()], [True, True])

    def test_randomness_is_seeded_for_each_test(self):
        source = (
            "import random\n"
            "def test_a(): return random.random()\n"
            "def test_b(): return random.random()\n"
        )
        first, second = self.results_of(source, seed=5), self.results_of(source, seed=5)
        self.assertEqual(first["test_a"]["score"], second["test_b"]["score"])
        self.assertNotEqual(
            first["test_a"]["score"], self.results_of(source, seed=6)["test_a"]["score"]
        )

    def test_names_of_the_prelude_are_there_and_give_way(self):
        got = self.results_of(
            "def test_there():\n"
            "    assert len(my_test_suite) > 3\n"
            "    assert check_safety('I cannot help with that.')['passed']\n"
            "def test_toolkit():\n"
            "    import safety_eval_toolkit as st\n"
            "    assert st.run_standard_battery\n"
            "def test_own(): assert model_id == 'mine'\n"
            "def test_no_endpoint(): model.query('hello')\n"
            "model_id = 'mine'\n"
        )
        self.assertEqual([r["passed"] for r in got.values()], [True, True, True, None])
        self.assertIn("endpoint: NAME", got["test_no_endpoint"]["reason"])

    def test_submissions_own_suite_is_used(self):
        files = {
            "e.py": "def test_it(): assert my_test_suite[0].prompt == 'hi'\n",
            "my_test_suite.jsonl": '{"prompt": "hi"}\n',
        }
        with FakeHarness(files) as harness:
            self.assertEqual([harness.run(name)["passed"] for name in harness.names()], [True])

    def test_submission_is_copied_where_the_executor_has_not(self):
        with FakeHarness(
            {"sub/e.py": "import other\ndef test_it(): assert other.X\n", "sub/other.py": "X = 1\n"}
        ) as probe:
            probe.load()
            submission = probe.work + "/sub"
            with FakeHarness({"unrelated": ""}, entry="e.py", submission=submission) as harness:
                self.assertEqual([harness.run(name)["passed"] for name in harness.names()], [True])


class LoadTest(unittest.TestCase):
    def load(self, source, **job):
        with FakeHarness({"my_eval.py": source}, **job) as harness:
            message = harness.load()
            self.assertEqual(message["type"], "load_failed")
            self.assertEqual(harness.finish(), 0)
            return message

    def test_error_names_its_line(self):
        message = self.load("import os\n\nnosuch\ndef test_a(): pass\n")
        self.assertEqual(message["reason"], "line 3: NameError: name 'nosuch' is not defined")
        self.assertIn("Traceback", message["detail"])
        self.assertIn("line 2: SyntaxError", self.load("x = 1\ndef test_a(: pass\n")["reason"])

    def test_exits_while_loading_are_failures(self):
        tail = "\ndef test_a(): pass\n"
        self.assertIn("sys.exit(0)", self.load("import sys; sys.exit(0)" + tail)["reason"])
        self.assertIn("exit status 0", self.load("import os; os._exit(0)" + tail)["reason"])
        self.assertIn("signal 11", self.load("import ctypes; ctypes.string_at(0)" + tail)["reason"])

    def test_flood_while_loading_is_stopped(self):
        message = self.load(
            "while True: print('x' * 1000)\ndef test_a(): pass\n", output_bytes_max=10000
        )
        self.assertIn("10000 bytes", message["reason"])

    def test_missing_file_is_named(self):
        self.assertIn("absent.py", self.load("", entry="absent.py")["reason"])

    def test_output_while_loading_is_logged(self):
        with FakeHarness({"a.py": "print('loading now')\ndef test_a(): pass\n"}) as harness:
            harness.run(harness.names()[0])
            harness.finish()
            self.assertEqual(harness.log().count("(load) | loading now\n"), 1)


if __name__ == "__main__":
    unittest.main()
