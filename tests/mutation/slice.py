"""Few mutants in seconds: a fixed sample that rows of the vectors judge, and planted survivors.

``python -m tests.mutation.slice`` prints their verdicts as lines of JSON.
"""
import json
import random
from pathlib import Path

from hopref import vectors
from tests.mutation import judges, planted
from tests.mutation.measurement import Measurement
from tests.mutation.operators import ROOT, mutants

FILES = ("models/modern.py", "models/sinks.py", "models/sigmoid.py", "models/bam.py")
UNCHANGED = "the original, executed again"
COUNT = 8                   # mutants of each file
DECLARED = ("keyword", "decorator")     # most of these are changes of a declaration, for tests


def planted_is_right(mutant):
    """A judge that does not try fewer than two numbers."""
    return "" if planted.mean([1.0, 3.0]) == 2.0 else "the mean of two numbers"


def main():
    files, wrong = [ROOT / "hopref" / name for name in FILES], Path(planted.__file__)
    measurement = Measurement([*files, wrong])
    ops = [name for name in vectors.operations()
           if name.partition(".")[0] in {file.stem for file in files}]
    rows = judges.Rows(ops, measurement.files, judges.Known("", measurement.files))
    measurement.begin([rows.kills, planted_is_right])
    drawn = mutants(str(wrong.relative_to(ROOT)), wrong.read_text())
    for file in files:
        every = [m for m in mutants(str(file.relative_to(ROOT)), file.read_text())
                 if m.scope and m.kind not in DECLARED]
        drawn += random.Random(file.name).sample(every, COUNT)
    for mutant in drawn:
        print(json.dumps({"name": mutant.name, "verdict": measurement.verdict(mutant)}))
    for mutant in drawn[::COUNT]:
        print(json.dumps({"name": f"{mutant.path}: {UNCHANGED}",
                          "verdict": measurement.unchanged(mutant)}))


if __name__ == "__main__":
    main()
