"""Measure the mutation score of a random sample of the mutants of each package.

    python -m tests.mutation [PACKAGE...] [--sample N] [--seed S] [--part TEXT] [--out FILE]
"""
import argparse
import json
import os
import time
import traceback

import pytest

from hopref import vectors
from tests import groups
from tests.mutation import judges
from tests.mutation.measurement import PACKAGES, SURVIVES, Measurement, files_of, sample
from tests.mutation.operators import ROOT

TESTS = ("models", "maps", "features", "dispatch", "parts", "layers", "test_storage.py",
         "test_dynamics.py", "test_namespaces.py", "test_rules.py", "check/test_laws.py",
         "gpu/test_parts.py")
MOST = 24                   # operations with which a test that walks all operations judges
WALKS = ("tests/dispatch", "tests/test_namespaces")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    parser.add_argument("--sample", type=int, default=300, help="mutants of a package; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--survivors", default="", help="judge the survivors of this output only")
    parser.add_argument("--unchanged", action="store_true",
                        help="judge the original sources in the place of the mutants")
    parser.add_argument("--part", default="", help="a text that the names of the mutants contain")
    parser.add_argument("--out", default="mutation.jsonl", help="the verdicts, one a line")
    parser.add_argument("--seconds", type=float, default=3.0,
                        help="of the tests that judge one mutant")
    parser.add_argument("--known", default="mutation.known",
                        help="file that keeps the lines that rows and tests run")
    options = parser.parse_args()
    os.chdir(ROOT)
    session = Session(options)
    doctests = [str(path if (path := ROOT / "hopref" / p).is_dir() else path.with_suffix(".py"))
                for p in PACKAGES]
    groups.SINGLY = True                                    # tests are chosen by their operation
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)            # the dots of the tests
    return pytest.main(["-n", "0", "-q", "--slow", "--doctest-modules", "-p", "no:cacheprovider",
                        "-W", "ignore::pytest.PytestAssertRewriteWarning",      # imported above
                        *(f"tests/{name}" for name in TESTS), *doctests],
                       plugins=[session, judges.Outcomes()])


class Session:
    """A plugin that measures in the place of the loop that runs the tests."""
    def __init__(self, options):
        self.options, self.stdout = options, os.fdopen(os.dup(1), "w", buffering=1)
        files = [file for package in PACKAGES for file in files_of(package)]
        self.measurement = Measurement(files)
        self.left = survivors(options.survivors) if options.survivors else None
        self.measurement.limit += options.seconds
        self.judged = getattr(self.measurement, "unchanged" if options.unchanged else "verdict")

    def report(self, *words):
        print(f"{time.process_time():6.0f} s ", *words, file=self.stdout, flush=True)

    def pytest_collection(self, session):
        """Property tests draw the same examples each time, and do not shrink those that fail."""
        from hypothesis import Phase, settings  # pytest rewrites it before
        settings.register_profile("mutation", settings.default, derandomize=True, database=None,
                                  phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutation")

    def pytest_runtestloop(self, session):
        try:
            self.run(session)
        except Exception:
            self.report(traceback.format_exc())
            raise
        return True

    def run(self, session):
        """Record what rows and tests run, and judge the mutants by them."""
        known = judges.Known(self.options.known, self.measurement.files)
        rows = judges.Rows(vectors.operations(), self.measurement.files, known)
        self.report(sum(map(len, rows.rows.values())), "rows")
        tests = judges.Tests(*chosen(session.items), self.measurement.files, known,
                             self.options.seconds)
        self.report(len(tests.items), f"tests; {len(tests.failed)} fail without a mutant:",
                    *tests.failed[:3])
        self.measurement.begin([rows.kills, tests.kills])
        with open(self.options.out, "w") as out:
            for package in self.options.packages:
                self.measure(package, out)

    def measure(self, package, out):
        """Judge a sample of the mutants of a package, and report its score."""
        every, drawn = sample(package, self.options.sample, self.options.seed, self.options.part)
        drawn = [mutant for mutant in drawn if self.left is None or mutant.name in self.left]
        killed = 0
        for i, mutant in enumerate(drawn, 1):
            began, verdict = time.time(), self.judged(mutant)
            killed += verdict != SURVIVES
            record = {"package": package, "name": mutant.name, "kind": mutant.kind,
                      "lines": mutant.lines, "verdict": verdict, "of": len(every),
                      "seed": self.options.seed, "seconds": round(time.time() - began, 2)}
            print(json.dumps(record), file=out, flush=True)
            if i % 100 == 0 or i == len(drawn):
                self.report(f"{package}: {killed} of {i} killed, {killed / max(1, i):.1%}")


def survivors(file):
    """The names of the mutants that survived an earlier measurement."""
    with open(file) as lines:
        found = map(json.loads, lines)
        return {entry["name"] for entry in found if entry["verdict"] == SURVIVES}


def chosen(items):
    """The tests that are recorded, and all tests, except for those of the kit's bugs.

    Of a test that walks all operations a few are recorded.
    """
    groups = {}
    for item in items:
        if "::test_a_law_" not in item.nodeid:
            groups.setdefault(item.nodeid.partition("[")[0], []).append(item)
    recorded = []
    for name, group in groups.items():
        many = name.startswith(WALKS) and len(group) > MOST
        recorded += group[::-(-len(group) // MOST)] if many else group
    return recorded, sum(groups.values(), [])


if __name__ == "__main__":
    raise SystemExit(main())
