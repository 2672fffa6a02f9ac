"""Scorers of one's own, named in a YAML as `scorer: scorers.py:brevity`.

A scorer is given the model's answer (text) and the case (a dict of its fields), and gives what a
test may return: a bool, a score from 0 to 1, or a dict with score, passed, reason and metrics.
"""


def brevity(answer, case):
    """Full marks up to eight words, none from sixteen on."""
    words = len(answer.split())
    score = max(0.0, min(1.0, (16 - words) / 8))
    return {"score": score, "reason": "%d words" % words, "metrics": {"answer_words": words}}
