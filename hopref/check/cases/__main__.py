"""The cases of operations: ``python -m hopref.check.cases [OP ...]`` prints what they vary.

A line for each parameter lists the values that are drawn of it: numbers and names as they are, of
arrays the shapes.  The last line counts the pairs of levels that meet in a case.
"""
import argparse

import numpy as np

from hopref.check.cases.generator import cases, levels_met
from hopref.dispatch.operation import load

__all__ = ["main"]

MOST_SHOWN = 12


def values_of(op, drawn):
    """{parameter: distinct values} of the arguments of cases, of arrays their shapes."""
    found = {}
    for case in drawn:
        for k, v in op.signature.bind(*case.args, **case.kwargs).arguments.items():
            found.setdefault(k, {})[shown(v)] = True
    return {k: list(values) for k, values in found.items()}


def shown(v):
    return str(v.shape) if isinstance(v, np.ndarray) else f"{v:.4g}" if type(v) is float else str(v)


def main(argv=None):
    """Print the table."""
    known = {name: op for name, op in load().items() if op.arrays}
    parser = argparse.ArgumentParser(prog="python -m hopref.check.cases",
                                     description=__doc__.partition("\n")[0])
    parser.add_argument("op", nargs="*", help="names of operations; without any, a line for each")
    parser.add_argument("--thorough", action="store_true")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.op if name not in known]:
        parser.error(f"no operation with arrays is called {unknown[0]!r}")
    total = 0
    for name in options.op or known:
        drawn = cases(known[name], thorough=options.thorough)
        met, missing = levels_met(known[name], drawn)
        total += len(drawn)
        for k, values in values_of(known[name], drawn).items() if options.op else ():
            more = f", and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
            print(f"{name}: {k}: {len(values)} values: {', '.join(values[:MOST_SHOWN])}{more}")
        print(f"{name}: {len(drawn)} cases, {len(met)} pairs of levels meet, {len(missing)} wanted "
              "ones do not, as the operation refuses them")
    print(f"{total} cases of {len(options.op or known)} operations")


if __name__ == "__main__":
    main()
