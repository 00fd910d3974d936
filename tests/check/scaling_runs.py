"""Wrong verdicts of `scaling` on functions of known growth, while other processes take the cores.

``python -m tests.check.scaling_runs --runs 200 --load 4`` prints, for each measure and for the
whole, how many verdicts are right, undecided and wrong.  The exit code is 1 if a verdict on memory
or work, or a whole one, is wrong.
"""
import argparse
import collections
import multiprocessing
import sys
import time

from hopref.check import scaling
from hopref.check.growth.exponents import CLASSES
from tests.check.grown import EXPECTED, heads

ORDER = list(CLASSES)


def busy():
    """Take a core, with memory traffic."""
    import numpy as np
    a = np.ones(2**20)
    while True:
        a += a.sum() * 1e-9


def outcome(verdict, right):
    return "right" if verdict == right else "undecided" if verdict not in ORDER else "WRONG"


def run(runs, seconds):
    """{measure: counter of outcomes} of this many runs."""
    found = collections.defaultdict(collections.Counter)
    for i in range(runs):
        function, (memory, work) = list(EXPECTED.items())[i % len(EXPECTED)]
        result = scaling(function, inputs=lambda n, i=i: heads(n, i), seconds=seconds)
        right = {"memory": memory, "work": work,
                 "whole": max(memory, work, key=ORDER.index)}
        got = {name: m.verdict for name, m in result.measures.items()} | {"whole": result.verdict}
        for name, truth in {**right, "time": work}.items():
            found[name][outcome(got[name], truth)] += 1
            if name != "time" and outcome(got[name], truth) == "undecided":
                found["undecided"][f"{function.__name__} {name}"] += 1
            if name != "time" and outcome(got[name], truth) == "WRONG":
                print(f"run {i}: {function.__name__}: {name} is {got[name]}, not {truth}: "
                      f"{result.as_dict()}")
    return found


def main(argv=None):
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--load", type=int, default=4, help="processes that take the cores")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement, about")
    options = parser.parse_args(argv)
    others = [multiprocessing.Process(target=busy, daemon=True) for _ in range(options.load)]
    for process in others:
        process.start()
    began = time.monotonic()
    try:
        found = run(options.runs, options.seconds)
    finally:
        for process in others:
            process.terminate()
    undecided = found.pop("undecided", {})
    for name, counts in found.items():
        print(f"{name:7} " + "  ".join(f"{counts[k]} {k}" for k in ("right", "undecided", "WRONG")))
    print("undecided: " + ", ".join(f"{n} {name}" for name, n in undecided.items()))
    print(f"{options.runs} runs, {options.load} other processes, "
          f"{time.monotonic() - began:.0f} s")
    return int(any(found[name]["WRONG"] for name in ("memory", "work", "whole")))


if __name__ == "__main__":
    sys.exit(main())
