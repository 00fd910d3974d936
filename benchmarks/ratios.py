"""Comparison of paths in one run: interleaved calls, with the minimum time of each.

    python -m benchmarks.ratios [--quick]

Only ratios of minima taken in turn mean anything on a machine that others use too; milliseconds are
for orientation.  NumPy's threads are pinned to one before it is imported.  "By hand" is plain NumPy
in the dtype given, the formula always works in float64.
"""
# ruff: noqa: E402
import argparse
import os
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")

import numpy as np

from benchmarks import growth
from hopref.dispatch.operation import load

REPEATS = 7


class Case(NamedTuple):
    """An operation with arguments; ``by_hand`` prepares the same computation in NumPy."""
    name: str
    size: str
    args: tuple
    kwargs: dict
    by_hand: Callable


def retrieval(xi, X, beta):
    def run():
        z = beta * (xi @ X.T)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) @ X
    return run


def retrieval_energy(xi, X, beta):
    def run():
        z = beta * (xi @ X.T)
        top = z.max(axis=1)
        lse = (top + np.log(np.exp(z - top[:, None]).sum(axis=1))) / beta
        square = (X * X).sum(axis=1).max()
        return -lse + (xi * xi).sum(axis=1) / 2 + np.log(len(X)) / beta + square / 2
    return run


def causal(phi_q, phi_k, V, chunk=128):
    """The fastest NumPy form, in chunks; a column of ones computes z."""
    past = np.tri(chunk, dtype=V.dtype)

    def run():
        v1 = np.concatenate([V, np.ones_like(V[:, :1])], axis=1)
        S, Z = np.zeros((phi_k.shape[1], v1.shape[1]), V.dtype), np.empty_like(v1)
        for t in range(0, len(V), chunk):
            q, k, v = phi_q[t:t + chunk], phi_k[t:t + chunk], v1[t:t + chunk]
            Z[t:t + chunk] = q @ S + (q @ k.T * past[:len(q), :len(q)]) @ v
            S += k.T @ v
        return Z[:, :-1] / Z[:, -1:]
    return run


def sweep(xi, X, order):
    """W is formed before timing; a visit multiplies a row of W by all states."""
    W = X.T @ X

    def run():
        states = xi.copy()
        for site in order:
            h = states @ W[site]
            states[:, site] = np.where(h == 0, states[:, site], np.where(h > 0, 1, -1))
        return states
    return run


def projection(z):
    """The projection onto the simplex from sorted scores."""
    count = np.arange(1, z.shape[1] + 1, dtype=z.dtype)

    def run():
        falling = -np.sort(-z, axis=1)
        excess = np.cumsum(falling, axis=1) - 1
        last = np.count_nonzero(falling * count > excess, axis=1)[:, None] - 1
        tau = np.take_along_axis(excess, last, axis=1) / (last + 1).astype(z.dtype)
        return np.maximum(z - tau, 0)
    return run


def entmax_by_bisection(z, alpha, steps=50):
    """Entmax by bisection of the threshold in an interval of length 1."""
    def run():
        x = (alpha - 1) * z
        tau, width = x.max(axis=1, keepdims=True) - 1, z.dtype.type(1)
        for _ in range(steps):
            width = width / 2
            p = np.maximum(x - tau - width, 0) ** (1 / (alpha - 1))
            tau = np.where(p.sum(axis=1, keepdims=True) >= 1, tau + width, tau)
        p = np.maximum(x - tau, 0) ** (1 / (alpha - 1))
        return p / p.sum(axis=1, keepdims=True)
    return run


def cases(quick):
    """The cases, with small sizes if ``quick``."""
    for M, N in [(64, 2048)] if quick else [(512, 4096), (64, 100_000), (1, 4096), (1, 1_000_000)]:
        args, how = growth.memory(N, M, 64), {"beta": 0.125}
        yield Case("modern.update", f"M={M} N={N} d=64", args, how, retrieval)
        yield Case("modern.energy", f"M={M} N={N} d=64", args, how, retrieval_energy)
    for L in [512] if quick else [4096]:
        yield Case("attention.causal_linear_attention", f"L={L} r=256 v=64",
                   growth.features(L, 256, 64), {}, causal)
    for d in [512] if quick else [1024, 4096]:
        xi, X = growth.store(d, 64, d // 20)
        yield Case("classical.low_rank_asynchronous_update", f"M=64 N={d // 20} d={d}", (xi, X),
                   {"order": np.arange(d)}, sweep)
    for M, n in [(64, 1000)] if quick else [(64, 1000), (1, 100_000)]:
        z, size = growth.scores(n, M), f"{M} rows n={n}"
        yield Case("maps.sparsemax", size, z, {}, projection)
        for alpha in 1.5, 1.3, 3.0:
            yield Case("maps.entmax", f"{size} alpha={alpha}", z, {"alpha": alpha},
                       entmax_by_bisection)


def on_path(case, dtype, backend):
    args = [a.astype(dtype) for a in case.args]
    return growth.prepared(case.name, *args, **case.kwargs, backend=backend)


def by_hand(case, dtype):
    values = [dtype(v) if isinstance(v, float) else v for v in case.kwargs.values()]
    return case.by_hand(*(a.astype(dtype) for a in case.args), *values)


def small_call(calls=1000):
    """Microseconds of a small update: validated, the formula alone, and NumPy."""
    rng = np.random.default_rng(0)
    xi, X = rng.standard_normal(8), rng.standard_normal((8, 8))
    update = load()["modern.update"]

    def plain():
        z = 0.5 * (X @ xi)
        e = np.exp(z - z.max())
        return e / e.sum() @ X

    def repeated(function):
        def run():
            for _ in range(calls):
                function()
        return run

    ways = [lambda: update(xi, X, beta=0.5), lambda: update.formula(xi, X, beta=0.5), plain]
    return [1e6 / calls * seconds for seconds in in_turn(map(repeated, ways), 5 * REPEATS)]


def in_turn(functions, repeats):
    """Minimum time of each function, called in turn; the first call compiles and is not counted."""
    functions = list(functions)
    best = [float("inf")] * len(functions)
    for turn in range(repeats + 1):
        for i, function in enumerate(functions):
            begin = perf_counter()
            function()
            if turn:
                best[i] = min(best[i], perf_counter() - begin)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, for a look")
    quick = parser.parse_args().quick
    checked, formula, hand = small_call()
    print(f"modern.update, one state, N=8 d=8: validated {checked:.1f} us, "
          f"formula {formula:.1f} us (ratio {checked / formula:.2f}), "
          f"plain NumPy {hand:.1f} us (ratio {checked / hand:.2f})\n")
    print(f"{'':39} {'':26} {'dtype':8} {'numba':>9}  {'by hand':>9} {'ratio':>6}"
          f"  {'formula':>9} {'ratio':>6}")
    for case in cases(quick):
        for dtype in np.float32, np.float64:
            fast, hand, formula = in_turn(
                [on_path(case, dtype, "numba"), by_hand(case, dtype),
                 on_path(case, np.float64, "formula")], REPEATS)
            print(f"{case.name:39} {case.size:26} {dtype.__name__:8} {1e3 * fast:6.2f} ms  "
                  f"{1e3 * hand:6.1f} ms {hand / fast:6.2f}  "
                  f"{1e3 * formula:6.1f} ms {formula / fast:6.2f}", flush=True)


if __name__ == "__main__":
    main()
