#!/usr/bin/env python3
"""run.py BIN [QUESTION...]: asks the questions (all, when none is named) of the programs in BIN, writes
bench/results/latest.json and prints a table: each figure, its share of the limit measured in the same run, its goal.

The disk that is measured is that of bench/results. Timings differ between machines: compare ratios."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from goals import ratio, table  # noqa: E402
from questions import QUESTIONS  # noqa: E402
from rig import Rig  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", help="the folder of the built programs, for example build/release/bin")
    parser.add_argument("questions", nargs="*", choices=[[], *QUESTIONS], help="one or more of " + ", ".join(QUESTIONS))
    arguments = parser.parse_args()

    rig = Rig(arguments.bin, RESULTS)
    figures, failed = [], []
    try:
        for name in arguments.questions or QUESTIONS:
            begin = time.monotonic()
            print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
            try:
                figures += QUESTIONS[name](rig)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:  # the other questions are asked
                failed.append(f"{name}: {error}")
            print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    finally:
        rig.close()
    values = {figure["name"]: figure["value"] for figure in figures}
    for figure in figures:
        share = ratio(figure, values)
        if share is not None:
            figure["settings"]["ratio"] = round(share, 4)
    (RESULTS / "latest.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(table(figures))
    if failed:
        sys.exit("not answered:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
