"""Every path on CuPy arrays, on all hard cases: its tolerance, and that it reads no value.

The calls run on the substitute for CuPy, with tiles and chunks as small as they can be, so that
several take part.
"""
import math

import numpy as np
import pytest

from hopref.check.cases.generator import cases
from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.fast.cupy import PATHS, _causal, _linear, _rows, _tiles
from tests.doubles import cupy as double
from tests.fast.agreement import results_agree
from tests.gpu import nvrtc

NAMES = [f"{module}.{function}" for module, functions in PATHS.items() for function in functions]
OPS = load()
# Not every case of what takes thousands of launches a call, or whose truth takes long.
STEPS = {"maps": 9, "sparse": 9, "performer.expected_update": 3,
         "gradients.attention.causal_linear_attention": 3,
         "gradients.attention.log_causal_linear_attention": 9, "classical.asynchronous_update": 3,
         "classical.glauber_update": 3, "gradients.maps": 18, "gradients.performer": 27,
         "gradients.sparse": 27, "dense": 3, "dense.asynchronous_update": 27}
FORMATS = "float32", "float64"
SLOW = [pytest.mark.slow]
KERNELS = {"classical.asynchronous_update", "classical.glauber_update",
           "dense.asynchronous_update"}
# A sixth of the cases of each operation, in formats that alternate, and all of them.
every = pytest.mark.parametrize("name, dtype, step", [
    pytest.param(name, dtype, step, marks=slow + (nvrtc.required() if name in KERNELS else []))
    for number, name in enumerate(NAMES) for dtype, step, slow in (
        (FORMATS[number % 2], 6, []), ("float32", 1, SLOW), ("float64", 1, SLOW))])


@pytest.fixture(autouse=True)
def device(monkeypatch, in_tiles, by_products):
    monkeypatch.setattr(_tiles, "SCORES", 0)
    monkeypatch.setattr(_linear, "LEAST_ROWS", 16)
    monkeypatch.setattr(_rows, "ROWS", 1000)
    monkeypatch.setattr(_causal, "BLOCKS", math.inf)
    with double.installed() as cupy:
        yield cupy


def on_device(a):
    return double.asarray(a) if isinstance(a, np.ndarray) else a


@every
def test_hard_cases_agree_within_the_derived_tolerance_and_no_value_is_read(name, dtype, step):
    tried = 0
    step *= STEPS.get(name, STEPS.get(name.rpartition(".")[0], 1))
    for case in list(cases(OPS[name], dtype))[::step]:
        if name in KERNELS and math.prod(case.args[0].shape[:-1]) > 9:
            continue                        # each state is a block, which takes long
        given = [on_device(a) for a in case.args]
        options = {k: on_device(v) for k, v in case.kwargs.items()}
        double.stats.reset()
        result = OPS[name](*given, **options, backend="cupy")
        assert double.stats.quiet, (case.name, double.stats)
        correct = expected(OPS[name], case.args, case.kwargs, profile_of(dtype))
        results_agree(result, correct, dtype, double.asnumpy)
        tried += 1
    assert tried > 15 / step
