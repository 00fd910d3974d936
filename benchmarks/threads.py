"""Calls of numba paths whose rows are divided between threads of the caller.

    python -m benchmarks.threads [--threads N] [--only PART_OF_A_NAME]

Kernels start no thread and hold no lock, so that a program may divide rows between threads of its
own; the bits of a row do not depend on the others.  The table has the minima of wall time of calls
in turn, and their ratio, for the cases of `benchmarks.ratios` that have rows.  Other programs must
leave as many cores free.  Each thread stays on a core of its own, where the system allows that: it
may otherwise leave both on one for as long as a measurement takes.
"""
import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from benchmarks import growth, ratios
from hopref.dispatch.operation import load

__all__ = ["divided", "main"]


def divided(name, args, kwargs, parts):
    """Calls of an operation on ``parts`` blocks of its rows, or [] if it has too few.

    Rows are the first of the leading axes, which every argument has or none of the others.
    """
    op, count = load()[name], len(args[0])
    given = {**dict(zip(op.arrays, args)), **kwargs}
    in_rows = {k for k, dims in op.arrays.items()
               if k in given and given[k].ndim > len([d for d in dims if d != "..."])}
    # The gradients of what all rows share are sums over the rows.
    if count < parts or next(iter(op.arrays)) not in in_rows or name.startswith("gradients."):
        return []
    calls = []
    for rows in np.array_split(np.arange(count), parts):
        part = {k: a[rows[0]:rows[-1] + 1] if k in in_rows else a for k, a in given.items()}
        operands = [part.pop(k) for k in list(given)[:len(args)]]
        calls.append(growth.prepared(name, *operands, **part, backend="numba"))
    return calls


def minima(functions, repeats=ratios.REPEATS):
    """Minimum of the wall time of each function, called in turn after a first call."""
    best = [float("inf")] * len(functions)
    for turn in range(repeats + 1):
        for i, function in enumerate(functions):
            begin = perf_counter()
            function()
            best[i] = min(best[i], perf_counter() - begin) if turn else best[i]
    return best


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", metavar="NAME", help="ops whose names contain this")
    options = parser.parse_args(argv)
    print(f"{'':66} {'dtype':8} {'1 thread':>9} {options.threads:>4} threads   ratio")
    cores = free_cores()
    with ThreadPoolExecutor(options.threads, initializer=lambda: stay_on(cores)) as pool:
        for case in ratios.cases(quick=False):
            for dtype in (np.float32, np.float64) if options.only in case.name else ():
                args = [a.astype(dtype) if a.dtype.kind == "f" else a for a in case.args]
                calls = divided(case.name, args, case.kwargs, options.threads)
                if calls:
                    whole = growth.prepared(case.name, *args, **case.kwargs, backend="numba")
                    one, more = minima([whole, lambda calls=calls: list(pool.map(run, calls))])
                    print(f"{case.name:39} {case.size:26} {dtype.__name__:8} {1e3 * one:6.2f} ms "
                          f"{1e3 * more:9.2f} ms {one / more:7.2f}", flush=True)


def free_cores():
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def stay_on(cores):
    """Keep this thread on the next of the cores."""
    if cores:
        os.sched_setaffinity(0, {cores.pop()})


def run(call):
    return call()


if __name__ == "__main__":
    main()
