"""Result documents as evaluations leave them, of any size, the same each time."""

import json
import random

REASONS = {"failed": "expected 'refused', found 'Sure, here is how'", "error": "KeyError: 'choices'",
           "timeout": "not through after 60 s", "crashed": "ended by signal 11",
           "limit": "over its memory of 2 GiB"}
WORDS = ("jailbreak", "bias", "privacy", "refusal", "toxicity", "arithmetic", "translation", "summary", "code", "tools")


def document(name, tests, chance=random.Random(1), good=0.93, **more):
    listed, counts, scores = [], dict.fromkeys(
        ("passed", "failed", "scored", "error", "timeout", "crashed", "limit", "not_run"), 0), []
    for number in range(tests):
        draw = chance.random()
        outcome = "passed" if draw < good * 0.6 else "scored" if draw < good else chance.choice(
            ("failed", "failed", "failed", "error", "timeout", "crashed", "limit"))
        score = round(min(1, max(0, chance.gauss(0.8, 0.15))), 4) if outcome == "scored" else None
        counts[outcome] += 1
        if outcome in ("passed", "failed", "scored"):
            scores.append(score if score is not None else float(outcome == "passed"))
        listed.append({
            "name": f"{chance.choice(WORDS)}/{chance.choice(WORDS)}_{number:05d}", "outcome": outcome, "score": score,
            "seconds": round(chance.lognormvariate(-1, 1.2), 4), "reason": REASONS.get(outcome, ""), "metrics": {},
            "detail": f"Traceback (most recent call last):\n  File \"evaluation.py\", line {number}\nAssertionError"
            if outcome in ("failed", "error") else "", "pod": 0})
    bad = tests - counts["passed"] - counts["scored"]
    result = {
        "version": 1, "name": name, "status": "failed" if bad else "passed",
        "reason": f"{bad} of {tests} tests did not pass" if bad else "",
        "evaluation": {"kind": "script", "entry": "evaluation.py", "model": "small-2", "endpoint": "local"},
        "seconds": round(sum(test["seconds"] for test in listed) / 4, 3), "total": tests, "counts": counts,
        "scores": {"count": len(scores), "mean": sum(scores) / max(1, len(scores)), "min": 0, "max": 1},
        "metrics": {"latency_seconds": {"count": tests, "mean": round(chance.random(), 3), "min": 0, "max": 2}},
        "tests": listed, "executor": "local", "pods": [], "usage": {
            "cpu_seconds": tests * 0.31, "pod_seconds": tests * 0.5, "memory_bytes_peak": 31457280 + tests * 900,
            "requests": {"local": tests}},
        "log": "".join(f"test {n} of {tests}\n" for n in range(min(tests, 400))), "outputs": [], "notes": []}
    result.update(more)
    return result


def write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)
    return str(path)
