"""Time and memory of exact, fused and random-feature attention against the length.

    python -m benchmarks.crossover [--out FILE] [--lengths L [L ...]]

Self-attention of one head with d = 64.  Exact attention is `attention.softmax_attention`: its
formula, which forms all L x L weights, and its numba path, which forms none ("fused").  The
Performer (FAVOR) is `performer.attention` with 256 positive features, on the paths that it has.
Seconds are those of the processor, with one thread: minima of calls taken in turn at each length.
Bytes are the peak of a call without its arguments.  A curve ends where a call would need 2 GiB.

FILE is docs/measured/crossover.json, from which the documentation draws its figure.  The lengths
at which two curves cross depend on the machine, which the file names.
"""
import argparse
import json
import math
import os
import platform
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

from benchmarks import ratios  # pins the threads before NumPy is imported

# ruff: isort: split
from benchmarks import figures, growth, timing
from benchmarks.figures import Panel, crossing, mark
from benchmarks.summary import at_sizes, markdown, memory, time
from hopref.dispatch.operation import load
from hopref.progress import progress
from hopref.versions import versions

__all__ = ["Curve", "crossings", "draw", "page", "read"]

FILE = Path(__file__).parents[1] / "docs" / "measured" / "crossover.json"
D, FEATURES = 64, 256
LENGTHS = [2**k for k in range(6, 15)]
LONG = 512              # lengths from this on show how costs grow
MOST = 2**31            # bytes of one call
EXACT, PERFORMER = "attention.softmax_attention", "performer.attention"
METHODS = {             # label: operation, path, number format
    "exact (formula)": (EXACT, "formula", "float64"),
    "fused (numba)": (EXACT, "numba", "float64"),
    "fused (numba, float32)": (EXACT, "numba", "float32"),
    "Performer (formula)": (PERFORMER, "formula", "float64"),
    "Performer (numba)": (PERFORMER, "numba", "float64"),
    "Performer (numba, float32)": (PERFORMER, "numba", "float32"),
}
COSTS = [               # name, unit, label of the axis, how a value is written
    ("seconds", 1e-3, "time, ms", time),
    ("peak_bytes", 2**20, "memory, MiB", memory),
]


class Curve(NamedTuple):
    """Costs of one method, at ascending lengths."""
    lengths: list
    seconds: list
    peak_bytes: list


def measure(lengths):
    """{label: Curve} of the methods whose paths exist."""
    curves = {label: Curve([], [], []) for label, (op, path, _) in METHODS.items()
              if path in load()[op].paths}
    for L in progress(lengths, label="lengths"):
        calls = {label: call(label, L) for label, curve in curves.items() if fits(curve, L)}
        seconds = ratios.in_turn(calls.values(), ratios.REPEATS)
        for (label, prepared), least in zip(calls.items(), seconds):
            curves[label].lengths.append(L)
            curves[label].seconds.append(least)
            curves[label].peak_bytes.append(growth.peak_bytes(prepared))
    return curves


def call(label, L):
    """A call of the method at this length, with validated arguments."""
    op, path, dtype = METHODS[label]
    args = growth.performer_heads(L, D, FEATURES)
    args = args if op == PERFORMER else args[:3]
    return growth.prepared(op, *(a.astype(dtype) for a in args), backend=path)


def fits(curve, L):
    """Whether a call of this length needs less than the limit, if memory grows as the square."""
    return not curve.lengths or curve.peak_bytes[-1] * (L / curve.lengths[-1])**2 < MOST


def machine():
    """The processor, the number of its cores, and the system."""
    try:
        model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        model = platform.processor() or platform.machine()
    features = timing.simd_extensions()
    return {"processor": model, "vectors": features[-1] if features else "baseline",
            "cores": os.cpu_count(), "system": platform.system()}


def record(curves):
    """What is written to the file."""
    found = versions()
    return {"machine": machine(), "date": date.today().isoformat(),
            "versions": {name: found[name] for name in ("hopref", "python", "numpy", "numba")},
            "setting": {"d": D, "features": FEATURES, "threads": 1, "repeats": ratios.REPEATS},
            "curves": {label: curve._asdict() for label, curve in curves.items()}}


def read(file=FILE):
    """The record with its curves."""
    content = json.loads(Path(file).read_text())
    content["curves"] = {label: Curve(**curve) for label, curve in content["curves"].items()}
    return content


def pairs(curves):
    """Every exact method with every Performer in the same number format."""
    return [(exact, other) for exact in curves for other in curves
            if METHODS[exact][0] == EXACT and METHODS[other][0] == PERFORMER
            and METHODS[exact][2] == METHODS[other][2]]


def line(curve, cost):
    """{length: cost}."""
    return dict(zip(curve.lengths, getattr(curve, cost)))


def exponent(costs):
    """The exponent with which a cost grows at long lengths; a dash if there are less than two."""
    long = {L: value for L, value in costs.items() if L >= LONG}
    return f"{growth.exponent(list(long), list(long.values())):.2f}" if len(long) > 1 else "-"


def crossings(curves, cost):
    """{(exact method, Performer): length} from which on this Performer costs less; 0 if it does at
    all lengths, and inf if it does not at the last."""
    return {pair: crossing(*(line(curves[label], cost) for label in pair))
            for pair in pairs(curves)}


def draw(curves, file):
    """Draw time and memory against the length, with marks where the Performer becomes cheaper."""
    panels = []
    for cost, unit, label, _ in COSTS:
        lines = {name: {L: value / unit for L, value in line(curve, cost).items()}
                 for name, curve in curves.items()}
        marks = tuple(point for exact, other in pairs(curves)
                      for point in mark(lines[exact], lines[other]))
        panels.append(Panel("", "length L", label, lines, marks))
    figures.draw(panels, file, across=2, scale="log", height=4)


def page(measured):
    """Markdown of what was measured: machine, crossings, and a table of all values."""
    curves, versions, setting = (measured[key] for key in ("curves", "versions", "setting"))
    built = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    where = measured["machine"]
    lines = [f"Measured on {measured['date']} with one thread on {where['processor']} "
             f"({where['cores']} cores, {where['vectors']}, {where['system']}), {built}; "
             f"minima of {setting['repeats']} calls."]
    for cost, _, label, written in COSTS:
        name = label.partition(",")[0]
        lines += ["", *(f"* {other} takes less {name} than {exact}: {at_sizes(length, 'L')}"
                        for (exact, other), length in crossings(curves, cost).items()), ""]
        found = [line(curve, cost) for curve in curves.values()]
        rows = [[str(L), *(written(costs.get(L, math.nan)) for costs in found)]
                for L in sorted({L for costs in found for L in costs})]
        rows.append([f"exponent from {LONG} on", *(exponent(costs) for costs in found)])
        lines += markdown([f"{name}, L", *curves], rows)
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crossover", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE", help=f"default: {FILE}")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="L")
    options = parser.parse_args(argv)
    measured = record(measure(sorted(options.lengths)))
    options.out.write_text(json.dumps(measured, indent=1) + "\n")
    print(page(read(options.out)), options.out, sep="\n")


if __name__ == "__main__":
    main()
