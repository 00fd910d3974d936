"""Benchmarks of the numba paths: against NumPy by hand, and of what it costs to compile a kernel.

The cases are the small ones of `benchmarks.ratios`, which measures them.
"""
import tempfile

import numpy as np

from benchmarks import ratios, timing

__all__ = ["first_calls_of", "ratios_of"]

DTYPES = {"float32": np.float32, "float64": np.float64}


class _Ratio:
    """Seconds of NumPy by hand over those of the numba path, in turn; above 1 the path is faster.

    asv passes over names with an underscore, not over their heirs.
    """
    param_names, unit, version = ("case", "dtype"), "ratio", "1"

    def setup(self, title, dtype):
        case = case_of(title)
        timing.require(case.name, "numba")
        self.ways = [ratios.prepared_by(case.by_hand, case, DTYPES[dtype]),
                     ratios.on_path(case, DTYPES[dtype], "numba")]

    def track_ratio_by_hand(self, title, dtype):
        by_hand, fast = ratios.in_turn(self.ways, ratios.REPEATS)
        return by_hand / fast


class _FirstCall:
    """Seconds of the first call of a kernel in a new process, in float32: with an empty cache, and
    with what such a process has cached."""
    param_names, unit, version, timeout = ("case",), "seconds", "1", 300

    def setup(self, title):
        self.case = case_of(title)
        timing.require(self.case.name, "numba")

    def track_first_call_cold(self, title):
        with tempfile.TemporaryDirectory() as cache:
            return ratios.first_call(self.case.name, self.case.size, cache)

    def track_first_call_cached(self, title):
        with tempfile.TemporaryDirectory() as cache:
            ratios.first_call(self.case.name, self.case.size, cache)
            return ratios.first_call(self.case.name, self.case.size, cache)


def ratios_of(module):
    """Parameters of the comparisons of the operations of this module: titles and number formats."""
    return [title for title, case in titles().items() if case.name.startswith(f"{module}.")], \
        list(DTYPES)


def first_calls_of(module):
    """Titles of one case for each operation of this module."""
    firsts = {case.name: title for title, case in reversed(titles().items())}
    return [title for title in titles() if title in firsts.values()
            and title.startswith(f"{module}.")]


def case_of(title):
    return titles()[title]


def titles():
    """{operation and size: case} of the small cases that have a computation by hand."""
    return {f"{case.name}, {case.size}": case for case in ratios.cases(quick=True)}
