"""Every path on CuPy arrays, on all hard cases: its tolerance, and that it reads no value.

The calls run on the substitute for CuPy, with tiles and chunks as small as they can be, so that
several take part.
"""
import numpy as np
import pytest

from hopref.check.cases.generator import cases
from hopref.dispatch.operation import load
from hopref.fast.cupy import PATHS, _attend, _linear, _rows, _tiles, modern
from tests.doubles import cupy as double
from tests.fast.agreement import agrees

NAMES = [f"{module}.{function}" for module, functions in PATHS.items() for function in functions]
OPS = load()
SLOW = {"maps": 9, "sparse": 9}      # every ninth case of what takes thousands of launches a call
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def device(monkeypatch):
    monkeypatch.setattr(_tiles, "SCORES", 0)
    monkeypatch.setattr(modern, "SCORES", 0)
    monkeypatch.setattr(_linear, "LEAST_ROWS", 16)
    monkeypatch.setattr(_rows, "ROWS", 1000)
    monkeypatch.setattr(_attend, "FEW", 0)              # the kernels have tests of their own
    with double.installed() as cupy:
        yield cupy


def on_device(a):
    return double.asarray(a) if isinstance(a, np.ndarray) else a


@precisions
@every
def test_hard_cases_agree_within_the_derived_tolerance_and_no_value_is_read(name, dtype):
    tried = 0
    step = SLOW.get(name.partition(".")[0], 1)
    for case in list(cases(OPS[name], dtype))[::step]:
        given = [on_device(a) for a in case.args]
        options = {k: on_device(v) for k, v in case.kwargs.items()}
        double.stats.reset()
        OPS[name](*given, **options, backend="cupy")
        assert double.stats.quiet, (case.name, double.stats)
        agrees(OPS[name], case.args, case.kwargs, dtype, "cupy", on_device, double.asnumpy)
        tried += 1
    assert tried > 20 / step
