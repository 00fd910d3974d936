"""Errors of every path against the formula in long double, with limits that may only fall.

    python -m benchmarks.accuracy [--lower]

The error of a row is its largest error over its largest entry, in units of the eps of the path's
number format; the largest of all rows is reported.  ``accuracy.json`` holds a limit for every
operation, size and path: twice the error that was measured, since the order of summation differs
between processors.  ``--lower`` lowers the limits that exceed this, adds missing ones, and raises
none.  Sparse updates, their gradient and sums over a support have 64 rows: the largest error of
4 differed by a factor of up to 3.3 between the kernels of OpenBLAS for Haswell, Nehalem and
processors with AVX-512, that of 64 differs by 1.5.
"""
import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import growth, timing
from hopref.check.tolerance.expected import truth
from hopref.dispatch.operation import load

FILE = Path(__file__).with_name("accuracy.json")
SLACK = 2.0


class Accuracy(NamedTuple):
    """An operation with its arguments at a size, the sizes, and its options."""
    op: str
    draw: Callable
    sizes: tuple
    options: dict = {}


LONG, SHORT = (256, 8192), (256, 2048)
CASES = {
    "retrieval": Accuracy("modern.update", lambda N: growth.memory(N, 4, 64), LONG,
                          {"beta": 0.125}),
    "energy": Accuracy("modern.energy", lambda N: growth.memory(N, 4, 64), LONG, {"beta": 0.125}),
    "retrieval gradient": Accuracy("gradients.modern.update", lambda N: (
        growth.memory(N, 4, 64)[0][::-1], *growth.memory(N, 4, 64)), SHORT, {"beta": 0.125}),
    "softmax attention": Accuracy("attention.softmax_attention", growth.heads, (64, 512)),
    "linear attention": Accuracy("attention.linear_attention", growth.features, SHORT),
    "linear attention gradient": Accuracy("gradients.attention.linear_attention", lambda L: (
        growth.features(L)[2][::-1], *growth.features(L)), SHORT),
    "causal linear attention": Accuracy("attention.causal_linear_attention", growth.features,
                                        SHORT),
    "log linear attention": Accuracy("attention.log_linear_attention", growth.feature_logs, SHORT),
    "log causal linear attention": Accuracy("attention.log_causal_linear_attention",
                                            growth.feature_logs, SHORT),
    "gated attention by the delta rule": Accuracy(
        "gated.linear_attention", lambda L: growth.tokens(L)[0], SHORT, {"rule": "delta"}),
    "positive features": Accuracy("features.positive", growth.vectors, SHORT),
    "trigonometric features": Accuracy("features.trigonometric", growth.vectors, SHORT),
    "positive features gradient": Accuracy("gradients.features.positive", lambda L: (
        *growth.scores(32, L), *growth.vectors(L)), SHORT),
    "Performer attention": Accuracy("performer.attention", growth.performer_heads, SHORT),
    "Performer retrieval gradient": Accuracy("gradients.performer.update", lambda N: (
        growth.memory(N, 4)[0][::-1], *growth.performer_memory(N, 4)), SHORT, {"beta": 0.125}),
    "generalised attention": Accuracy("performer.generalized_attention", growth.performer_heads,
                                      SHORT),
    "stabilised attention": Accuracy("performer.stabilized_attention", growth.performer_heads,
                                     SHORT),
    "sparsemax": Accuracy("maps.sparsemax", lambda n: growth.scores(n, 4), LONG),
    "entmax 1.5": Accuracy("maps.entmax", lambda n: growth.scores(n, 4), SHORT, {"alpha": 1.5}),
    "entmax 1.25": Accuracy("maps.entmax", lambda n: growth.scores(n, 4), SHORT, {"alpha": 1.25}),
    "sparsemax gradient": Accuracy("gradients.maps.sparsemax", lambda n: (
        growth.scores(n, 4)[0][:, ::-1], *growth.scores(n, 4)), SHORT),
    "entmax 1.5 gradient": Accuracy("gradients.maps.entmax", lambda n: (
        growth.scores(n, 4)[0][:, ::-1], *growth.scores(n, 4)), SHORT),
    "sparse retrieval": Accuracy("sparse.update", lambda N: growth.memory(N, 64, 64), SHORT,
                                 {"beta": 0.125}),
    "sparse retrieval gradient": Accuracy("gradients.sparse.update", lambda N: (
        growth.memory(N, 64, 64)[0][::-1], *growth.memory(N, 64, 64)), SHORT, {"beta": 0.125}),
    "normalised sparse retrieval": Accuracy("sparse.normalized_update", lambda N: growth.memory(
        N, 64, 64), SHORT, {"beta": 0.125}),
    "sparse retrieval and layer norm": Accuracy("sparse.layer_norm_update", lambda N: growth.memory(
        N, 64, 64), SHORT, {"beta": 0.125}),
    "sparse energy": Accuracy("sparse.energy", lambda N: growth.memory(N, 4, 64), SHORT,
                              {"beta": 0.125}),
    "retrieval over a support": Accuracy("structured.update", growth.supported, SHORT,
                                         {"beta": 0.125}),
    "retrieval over a list": Accuracy("structured.listed_update", lambda N: growth.listed(N, 4),
                                      SHORT, {"beta": 0.125}),
    "linear retrieval": Accuracy("structured.linear_update", lambda N: growth.memory(N, 4, 64),
                                 SHORT),
    "retrieval in a window": Accuracy("structured.window_update", growth.positions, SHORT,
                                      {"width": 16, "beta": 0.125}),
    "k-subsets": Accuracy("maps.k_subsets", lambda n: growth.scores(n, 4), SHORT, {"k": 10}),
    "top-k": Accuracy("maps.top_k", lambda n: growth.scores(n, 4), SHORT, {"k": 10}),
    "normmax": Accuracy("maps.normmax", lambda n: growth.scores(n, 4), SHORT),
}


class _Accuracy:
    """The errors as asv benchmarks; asv ignores this class, but not its subclasses."""
    param_names, unit, version = ("case", "path"), "eps", "1"

    def setup(self, case, path):
        if (case, path) not in wanted():
            timing.skip(f"{case} has no path {path}")

    def track_accuracy(self, case, path):
        return error(case, path)


def cases(*models):
    """The cases of the operations of these models, each with a size; of all if none is named."""
    return [f"{title} {size}" for title, it in CASES.items() for size in it.sizes
            if not models or it.op.partition(".")[0] in models]


def error(case, path):
    """The largest error of a row, in eps of the path's format."""
    title, _, size = case.rpartition(" ")
    it = CASES[title]
    dtype = np.float32 if path.endswith("float32") else np.float64
    args = growth.in_format(it.draw(int(size)), dtype)
    got = timing.on_path(it.op, path, args, it.options)()
    exact = truth(load()[it.op], args, it.options)
    got, exact = (y[0] if isinstance(y, tuple) else y for y in (got, exact))
    off, largest = (np.max(np.abs(y.reshape(len(y), -1)), axis=1) for y in (got - exact, exact))
    return float(np.max(off / largest) / np.finfo(dtype).eps)


def limits():
    """{(case, path): limit}."""
    kept = json.loads(FILE.read_text())
    return {(case, path): limit for case, row in kept.items() for path, limit in row.items()}


def wanted():
    """Every case and path that is measured."""
    return [(case, path) for case in cases() for path in timing.PATHS
            if path.partition(" ")[0] in load()[CASES[case.rpartition(" ")[0]].op].paths]


def complaints(found, allowed):
    """Messages about errors that are missing or exceed their limits."""
    wrong = []
    for case, path in wanted():
        value, limit = found.get((case, path)), allowed.get((case, path), math.nan)
        if not isinstance(value, float) or not value <= limit:
            wrong.append(f"{case}, {path}: the error must be at most {limit} eps; got {value}")
    return wrong


def lowered(found, allowed):
    """The limits, with those lowered that exceed the errors found by more than the slack."""
    return {key: min(allowed.get(key, math.inf), math.ceil(20 * SLACK * value) / 20)
            for key, value in found.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lower", action="store_true", help="write lower limits to the file")
    lower = parser.parse_args(argv).lower
    found = {(case, path): error(case, path) for case, path in wanted()}
    allowed = limits() if FILE.exists() else {}
    for (case, path), value in found.items():
        limit = allowed.get((case, path), math.nan)
        print(f"{case:30} {path:14} {value:8.2f} eps, limit {limit}")
    if lower:
        allowed, rows = lowered(found, allowed), {}
        for (case, path), limit in allowed.items():
            rows.setdefault(case, {})[path] = limit
        FILE.write_text(json.dumps(rows, indent=1) + "\n")
    wrong = complaints(found, allowed)
    print("\n".join(wrong) or f"{len(found)} errors are within their limits")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
