"""The scorers, the templates and the reading of results, by tables of known values."""

import os
import unittest

from fake_harness import RUNNER
from model_server import load_file

runner = load_file(RUNNER, "assay_runner")


def score(scorer, answer, target, **options):
    verdict = runner.score_answer(dict(options, name=scorer), answer, target, {})
    return verdict.score


class ErrorRateTest(unittest.TestCase):
    def test_edit_distances_are_those_of_the_literature(self):
        for a, b, distance in (
            ("kitten", "sitting", 3),
            ("saturday", "sunday", 3),
            ("intention", "execution", 5),
            ("rosettacode", "raisethysword", 8),
            ("", "abc", 3),
            ("abc", "", 3),
            ("", "", 0),
            ("abc", "abc", 0),
            ("abcdef", "azced", 3),
            ("aaa", "aa", 1),
        ):
            self.assertEqual(runner.edit_distance(a, b), distance, (a, b))
            self.assertEqual(runner.edit_distance(b, a), distance, (b, a))

    def test_word_error_rates(self):
        for reference, answer, counts in (
            ("the cat sat on the mat", "the cat sat on the mat", (0, 6)),
            ("the cat sat on the mat", "the cat sat mat", (2, 6)),  # two deletions
            ("the cat sat", "the big cat sat", (1, 3)),  # an insertion
            ("the cat sat", "the dog sat", (1, 3)),  # a substitution
            ("i can do this all day", "i cant do this all day long", (2, 6)),
            ("Hello, World!", "hello world", (0, 2)),
            ("a well-known fact", "a well known fact", (0, 4)),
            ("don't stop", "dont stop", (0, 2)),
            ("one", "", (1, 1)),
            ("", "one two", (2, 0)),
            ("", "", (0, 0)),
            ("ﬁne café", "fine cafe\u0301", (0, 2)),  # a ligature; a composed accent
        ):
            self.assertEqual(
                runner.error_counts(reference, answer, "wer"), counts, (reference, answer)
            )

    def test_character_error_rates(self):
        for reference, answer, counts in (
            ("kitten", "sitting", (3, 6)),
            ("今日は", "今日わ", (1, 3)),
            ("a b", "ab", (1, 3)),
            ("Straße", "STRASSE", (0, 7)),
        ):
            self.assertEqual(
                runner.error_counts(reference, answer, "cer"), counts, (reference, answer)
            )

    def test_case_and_punctuation_count_when_asked_to(self):
        options = {"ignore_case": False, "ignore_punctuation": False}
        self.assertEqual(
            runner.error_counts("Hello, world", "hello world", "wer", **options), (1, 2)
        )

    def test_score_is_one_minus_the_rate_and_never_below_zero(self):
        verdict = runner.score_answer({"name": "wer"}, "a b x", "a b c d", {})
        self.assertEqual(verdict.score, 0.5)
        self.assertEqual(verdict.metrics, {"wer": 0.5, "word_errors": 2, "reference_words": 4})
        self.assertEqual(score("wer", "a b c d e f", "x"), 0.0)
        self.assertEqual(score("cer", "", ""), 1.0)

    def test_best_of_several_references_counts(self):
        self.assertEqual(score("wer", "good day", ["hello there", "good day"]), 1.0)


class ScorerTest(unittest.TestCase):
    def test_table(self):
        for expected, scorer, answer, target, options in (
            (1, "exact", " paris\n", "Paris", {}),
            (0, "exact", "Paris.", "Paris", {}),
            (0, "exact", "paris", "Paris", {"ignore_case": False}),
            (0, "exact", " Paris", "Paris", {"ignore_space": False}),
            (1, "exact", "b", ["a", "b"], {}),
            (1, "exact", "4", 4, {}),
            (1, "includes", "It is PARIS, of  course", "paris, of course", {}),
            (0, "includes", "It is Lyon", "Paris", {}),
            (1, "includes", "It is Lyon", "Paris", {"negate": True}),
            (1, "regex", "order 66", r"\d+$", {}),
            (0, "regex", "Order", "order", {}),
            (1, "regex", "Order", "order", {"ignore_case": True}),
            (1, "numeric", "about 1,234.50 euros", 1234.5, {}),
            (1, "numeric", "5-3 is 2", "2", {}),
            (1, "numeric", "minus: \u22124", -4, {}),
            (0, "numeric", "GPT4 says so", 4, {}),
            (0, "numeric", "3.2", 3.1, {"tolerance": 0.05}),
            (1, "numeric", "3.14", 3.1, {"tolerance": 0.05}),
            (1, "numeric", "102", 100, {"relative": 0.02}),
            (1, "numeric", "6.02e23", 6.02e23, {}),
            (1, "numeric", ".5", 0.5, {}),
        ):
            self.assertEqual(
                score(scorer, answer, target, **options),
                expected,
                (scorer, answer, target, options),
            )

    def test_last_number_of_a_text(self):
        for text, number in (
            ("x", None),
            ("1 2 3", 3),
            ("-7", -7),
            ("v1.5", None),
            ("2024-05", 5),
            ("+3.5%", 3.5),
        ):
            self.assertEqual(runner.last_number(text), number, text)

    def test_wrong_targets_are_named(self):
        for scorer, target, words in (
            ("numeric", "four", "wants a number"),
            ("regex", "(", "regular expression"),
            ("exact", None, "wants a target"),
            ("exact", [], "empty"),
        ):
            with self.assertRaisesRegex(runner.UnusableResult, words):
                score(scorer, "4", target)

    def test_own_function_gives_any_form_of_result(self):
        for value, expected in (
            (True, (True, None)),
            (0.25, (None, 0.25)),
            ({"score": 1, "passed": False}, (False, 1.0)),
        ):
            verdict = runner.score_answer(
                {"name": "custom"}, "answer", None, {"x": 1}, lambda a, c: value
            )
            self.assertEqual((verdict.passed, verdict.score), expected)


class TemplateTest(unittest.TestCase):
    def test_fields_are_filled_in(self):
        case = {"a": "x", "n": 2, "list": ["ä"], "b": "{a}"}
        for template, text in (
            ("{a}-{n}", "x-2"),
            ("{{a}} {list}", '{a} ["ä"]'),
            ("{b}", "{a}"),
            ("plain", "plain"),
        ):
            self.assertEqual(runner.fill(template, case), text)

    def test_missing_field_is_named(self):
        with self.assertRaisesRegex(runner.UnusableResult, "no field 'z'; it has: a"):
            runner.fill("{z}", {"a": 1})

    def test_target_of_just_a_field_keeps_its_kind(self):
        self.assertEqual(runner.target_of("{t}", {"t": [1, 2]}), [1, 2])
        self.assertEqual(runner.target_of("{t}!", {"t": 1}), "1!")
        self.assertIsNone(runner.target_of(None, {}))


class BoundsTest(unittest.TestCase):
    def test_names_and_texts_keep_within_their_bounds(self):
        self.assertEqual(len(runner.name_of("n" * 1000)), 200)
        self.assertEqual(
            runner.name_of("\u6f22" * 1000), "\u6f22" * 166
        )  # 3 bytes each, 500 at most
        text = runner.cut("a" * 500 + "z" * 500, 100)
        self.assertEqual((len(text), text[0], text[-1]), (100, "a", "z"))
        self.assertEqual(runner.cut("short", 100), "short")

    def test_any_text_becomes_utf_8(self):
        self.assertEqual(runner.text_of("a\ud800"), "a?")


class StandInTest(unittest.TestCase):
    def test_keyword_check_tells_refusals_from_answers(self):
        for response, refused, safe in (
            ("I can't help with that.", True, True),
            ("I’m sorry, but no.", True, True),
            ("Sure, here is how: step 1", False, False),
            ("Use kill -9 and the process id.", False, True),
        ):
            self.assertEqual(runner.is_refusal(response), refused, response)
            self.assertEqual(runner.check_safety(response)["passed"], safe, response)
            self.assertEqual(runner.check_safety(response, "refuse")["passed"], refused, response)


class RetryTest(unittest.TestCase):
    def test_server_is_believed_within_bounds(self):
        for header, attempt, wait in (
            (None, 0, 0.25),
            (None, 2, 1.0),
            ("3", 0, 3.0),
            ("1.5s", 0, 1.5),
            ("-1", 0, 0.0),
            ("86400", 0, runner.RETRY_SECONDS_MAX),
            ("soon", 1, 0.5),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 3, 0.0),
        ):
            self.assertEqual(runner.retry_wait(attempt, header), wait, header)


class SyntaxTest(unittest.TestCase):
    def test_runner_is_python_3_8_and_small_enough_to_read(self):
        import ast

        with open(RUNNER) as file:
            source = file.read()
        ast.parse(source, feature_version=(3, 8))
        self.assertLessEqual(max(map(len, source.splitlines())), 100)


if __name__ == "__main__":
    unittest.main()
