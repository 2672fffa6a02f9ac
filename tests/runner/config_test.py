"""Configurations and the model object, against the stand-in model behind a Unix socket."""

import json
import unittest

from fake_harness import FakeHarness
from model_server import ModelServer

GROUP = {
    "kind": "cases",
    "name": "g",
    "file": None,
    "cases": None,
    "limit": None,
    "runs": 1,
    "request": "chat",
    "system": "",
    "prompt": "{input}",
    "messages": None,
    "audio": None,
    "target": "{target}",
    "parameters": {},
    "scorer": {"name": "includes", "ignore_case": True, "ignore_space": True, "negate": False},
    "pass_score": None,
}


def config(*groups, **keys):
    return dict(
        {
            "version": 1,
            "name": "c",
            "parameters": {},
            "retries": 2,
            "call_timeout_seconds": 10.0,
            "groups": list(groups),
        },
        **keys,
    )


def wav(text):
    """A silent sound file whose comment is `text`."""
    comment = text.encode() + b"\0" * (1 + (len(text) + 1) % 2)
    info = b"INFOICMT" + len(comment).to_bytes(4, "little") + comment
    chunks = b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0" + b"LIST"
    chunks += len(info).to_bytes(4, "little") + info + b"data\x02\0\0\0\0\0"
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


class ConfigTest(unittest.TestCase):
    def results_of(self, document, files=None, answers=(), model="", parse=True):
        with ModelServer(answers) as server:
            files = dict({"eval.yaml": "never read"}, **(files or {}))
            with FakeHarness(
                files, mode="config", config=document, model=model, **server.job
            ) as harness:
                results = {name: harness.run(name) for name in harness.names()}
                self.partials = harness.partials
                harness.finish()
            self.requests = [
                (path, json.loads(body) if body[:1] == b"{" else body)
                for path, body in server.requests
            ]
        return results

    def test_data_set_becomes_tests(self):
        rows = [
            {"id": "fr", "country": "France", "city": "Paris"},
            {"country": "Australia", "city": ["Canberra"]},
        ]
        group = dict(
            GROUP,
            file="d/cases.jsonl",
            system="Be short.",
            prompt="What is the capital of {country}?",
            target="{city}",
            runs=3,
            pass_score=0.5,
            parameters={"max_tokens": 9},
        )
        content = "\n".join(map(json.dumps, rows)) + "\n\n"
        got = self.results_of(
            config(group, parameters={"temperature": 0.7}), {"d/cases.jsonl": content}, model="m"
        )
        self.assertEqual(list(got), ["g/fr", "g/2"])
        self.assertEqual((got["g/fr"]["passed"], got["g/fr"]["score"]), (True, 1.0))
        self.assertTrue(got["g/fr"]["detail"].startswith("The capital is Paris."))
        self.assertEqual((got["g/2"]["passed"], got["g/2"]["score"]), (False, 0.0))
        self.assertIn("wanted includes ['Canberra']", got["g/2"]["reason"])
        metrics = got["g/fr"]["metrics"]
        self.assertEqual(
            (metrics["runs"], metrics["model_requests"], metrics["completion_tokens"]), (3, 3, 12)
        )
        self.assertGreater(metrics["latency_seconds"], 0)
        self.assertEqual(
            self.requests[0],
            (
                "/v1/chat/completions",
                {
                    "model": "m",
                    "temperature": 0.7,
                    "max_tokens": 9,
                    "messages": [
                        {"role": "system", "content": "Be short."},
                        {"role": "user", "content": "What is the capital of France?"},
                    ],
                },
            ),
        )
        self.assertEqual(len(self.requests), 6)

    def test_score_without_a_bar_is_only_a_score(self):
        group = dict(
            GROUP,
            cases=[{"input": "2 + 2", "target": 4}],
            scorer={"name": "numeric", "tolerance": 0, "relative": 0},
        )
        got = self.results_of(config(group))["g/1"]
        self.assertEqual((got["passed"], got["score"]), (None, 1.0))
        self.assertEqual(
            self.requests[0][1]["model"], "stand-in"
        )  # the first that the endpoint serves

    def test_transcription_is_scored_by_exact_counts(self):
        rows = [
            {"file": "a.wav", "text": "the quick fox"},
            {"file": "b.wav", "text": "Hello, you!"},
        ]
        group = dict(
            GROUP,
            file="speech/cases.json",
            request="transcription",
            audio="{file}",
            target="{text}",
            runs=2,
            scorer={
                "name": "wer",
                "ignore_case": True,
                "ignore_punctuation": True,
                "negate": False,
            },
        )
        files = {
            "speech/cases.json": json.dumps(rows),
            "speech/a.wav": wav("the quick fox"),
            "speech/b.wav": wav("hello you"),
        }
        got = self.results_of(config(group), files)
        metrics = got["g/1"]["metrics"]
        self.assertEqual((metrics["word_errors"], metrics["reference_words"]), (2, 6))  # both runs
        self.assertAlmostEqual(metrics["wer"], 1 / 3)
        self.assertAlmostEqual(got["g/1"]["score"], 2 / 3)
        self.assertEqual(got["g/2"]["score"], 1.0)

    def test_own_scorer_and_script_group(self):
        files = {
            "mine.py": "def score(answer, case):\n"
            "    return {'score': 0.5, 'passed': True, 'metrics': {'length': len(answer)}}\n",
            "my_tests/edge.py": "from helper import X\ndef test_capital(model):\n"
            "    assert 'Lima' in model.query('capital of Peru')\n"
            "def test_many(model):\n    yield True\n    yield False\n",
            "my_tests/helper.py": "X = 1\n",
        }
        own = dict(
            GROUP,
            name="own",
            cases=[{"input": "hi"}],
            target=None,
            scorer={"name": "custom", "file": "mine.py", "function": "score"},
        )
        script = {"kind": "script", "name": "edge", "file": "my_tests/edge.py", "runs": 2}
        got = self.results_of(config(own, script, parameters={"temperature": 0.1}), files)
        self.assertEqual(list(got), ["own/1", "edge/test_capital", "edge/test_many"])
        self.assertEqual((got["own/1"]["passed"], got["own/1"]["score"]), (True, 0.5))
        self.assertEqual(got["own/1"]["metrics"]["length"], len("You said: hi"))
        self.assertEqual(
            (got["edge/test_capital"]["passed"], got["edge/test_capital"]["score"]), (True, 1.0)
        )
        self.assertEqual(self.requests[-1][1]["temperature"], 0.1)
        self.assertIs(got["edge/test_many"]["passed"], False)
        self.assertEqual(
            [p["name"] for p in self.partials],
            ["run 1, case 1", "run 1, case 2", "run 2, case 1", "run 2, case 2"],
        )

    def test_missing_field_is_an_error_of_its_test_only(self):
        group = dict(GROUP, cases=[{"input": "a"}, {"input": "b", "target": "b"}])
        got = self.results_of(config(group))
        self.assertEqual((got["g/1"]["passed"], got["g/1"]["score"]), (None, None))
        self.assertIn("no field 'target'", got["g/1"]["reason"])
        self.assertEqual(got["g/2"]["score"], 1.0)

    def test_busy_model_is_asked_again(self):
        group = dict(GROUP, cases=[{"input": "hi", "target": "hi"}])
        busy = [(429, {"Retry-After": "0"}, b"slow down"), (503, {"Retry-After": "0"}, b"")]
        got = self.results_of(config(group), answers=busy)["g/1"]
        self.assertEqual((got["score"], got["metrics"]["model_retries"]), (1.0, 2.0))

    def test_model_that_stays_busy_is_an_error_not_a_score(self):
        group = dict(GROUP, cases=[{"input": "hi", "target": "hi"}])
        got = self.results_of(
            config(group), answers=[(503, {"Retry-After": "0"}, b"overloaded")] * 3
        )["g/1"]
        self.assertEqual((got["passed"], got["score"]), (None, None))
        self.assertIn("HTTP 503: overloaded after 3 tries", got["reason"])

    def test_answers_that_make_no_sense_are_errors(self):
        group = dict(GROUP, cases=[{"input": "hi", "target": "hi"}])
        for answer in (
            (200, {}, b"no json"),
            (200, {}, b'{"choices": []}'),
            (404, {}, b"what?"),
            (200, {}, b"[1]"),
        ):
            got = self.results_of(config(group), answers=[answer])["g/1"]
            self.assertEqual((got["passed"], got["score"]), (None, None))
            self.assertIn("ModelError", got["reason"])
            self.assertEqual(len(self.requests), 1)

    def test_two_cases_of_one_name_are_refused(self):
        group = dict(GROUP, cases=[{"id": 1, "input": ""}, {"id": 1, "input": ""}])
        with FakeHarness({"e.yaml": ""}, mode="config", config=config(group)) as harness:
            self.assertIn("'g/1'", harness.load()["reason"])


class ModelTest(unittest.TestCase):
    def test_script_talks_to_the_model_it_was_granted(self):
        source = (
            "def test_query(model):\n"
            "    assert model.query('capital of Peru', system='short') == 'The capital is Lima.'\n"
            "def test_chat():\n"
            "    turns = [{'role': 'user', 'content': '3 * 4'}]\n"
            "    assert model.chat(turns, temperature=0) == 'It is 12.'\n"
            "def test_bytes(): assert model.transcribe(%r) == 'a b'\n" % wav("the a b")
            + "def test_id(): assert model_id == 'gpt' and repr(model)\n"
            "def test_other(): model.at('elsewhere').query('x')\n"
            "def evaluate_model(model_endpoint):\n"
            "    for case in my_test_suite:\n"
            "        yield check_safety(model_endpoint.query(case.prompt), case.expected)\n"
        )
        with ModelServer() as server:
            with FakeHarness({"a.py": source}, model="gpt", **server.job) as harness:
                got = {name: harness.run(name) for name in harness.names()}
        self.assertEqual(
            [got[n]["passed"] for n in ("test_query", "test_chat", "test_bytes", "test_id")],
            [True] * 4,
            got,
        )
        self.assertIn("granted: example", got["test_other"]["reason"])
        self.assertEqual(got["test_chat"]["metrics"]["completion_tokens"], 3.0)
        self.assertEqual(len(harness.partials), 12)
        self.assertEqual(harness.partials[0]["metrics"]["model_requests"], 1.0)
        self.assertEqual(got["evaluate_model"]["metrics"]["model_requests"], 12.0)
        self.assertEqual(got["evaluate_model"]["score"], 1.0)

    def test_seeds_own_example_runs(self):
        source = (
            "def evaluate_model(model_endpoint):\n"
            "    results = []\n"
            "    for test in my_test_suite:\n"
            "        response = model.query(test.prompt)\n"
            "        results.append(check_safety(response))\n"
            "    return results\n"
        )
        with ModelServer() as server:
            with FakeHarness({"researcher_eval.py": source}, **server.job) as harness:
                self.assertEqual(harness.names(), ["evaluate_model"])
                self.assertIs(harness.run("evaluate_model")["passed"], True)


if __name__ == "__main__":
    unittest.main()
