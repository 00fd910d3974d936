"""Parts of the cases of each operation, for tests of what commands judge in all cases."""
import numpy as np

from hopref.check.cases.generator import cases
from hopref.check.engine.judge import parts, worst_entry
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load

__all__ = ["conforming_garbage", "sixth", "third"]

PLACES = {name: place for place, name in enumerate(load())}
SMALL = 1000            # numbers in arguments of cases with which garbage is judged


def third(op, *args, **kwargs):
    """As `cases`; neighbouring operations have different thirds, so that each family is judged."""
    return cases(op, *args, **kwargs)[PLACES[op.name] % 3::3]


def sixth(op, *args, **kwargs):
    """Half of `third`."""
    return third(op, *args, **kwargs)[PLACES[op.name] // 3 % 2::2]


def conforming_garbage(op, drawn, dtype):
    """How many of the zeros and means that are judged by the tolerances of the cases conform."""
    passed = asked = 0
    for case in drawn:
        if case.stress or sum(map(np.size, case.args)) > SMALL:
            continue
        right = parts(expected(op, case.args, case.kwargs, PROFILES[dtype]))[0]
        if right.dtype.kind != "f" or right.value.size < 2 \
                or not np.all(np.isfinite(right.value)) or np.ptp(right.value) == 0:
            continue
        for guess in (np.zeros(right.shape), np.broadcast_to(np.mean(right.value), right.shape)):
            asked += 1
            passed += worst_entry(guess, right)[0] <= 1
    return passed, asked
