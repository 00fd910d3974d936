"""The kernels in the PTX of other architectures, and of the compiler of CUDA 13."""
import functools

import numpy as np
import pytest

from hopref import classical, dense
from hopref.check.cases.generator import Case
from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend, _causal, _dense, _projected, _sweeps
from tests.doubles import cupy as double
from tests.gpu import nvrtc
from tests.gpu.comparison import compared, compared_in_half, draw

KERNELS = (_attend._kernels, _causal._kernel, _sweeps._kernel, _dense._kernel,
           _projected._kernel)
SLOW = [pytest.mark.slow]
pytestmark = nvrtc.required()


@pytest.fixture(params=[
    pytest.param((cuda, f"compute_{a}"), marks=nvrtc.required(cuda) + slow, id=f"CUDA {cuda}, {a}")
    for cuda, a, slow in ((13, 120, []), (12, 75, SLOW), (12, 90, SLOW), (12, 100, SLOW),
                          (12, 120, SLOW), (13, 80, SLOW))])
def compiler(request, monkeypatch):
    """Kernels are compiled by it in the test, and again after the test."""
    cuda, architecture = request.param
    compiled = functools.partial(nvrtc.to_ptx, architecture=architecture, cuda=cuda)
    monkeypatch.setattr(nvrtc, "to_ptx", compiled)
    monkeypatch.setattr(_causal, "BLOCKS", 0)
    for kernel in KERNELS:
        kernel.cache_clear()
    with double.installed():
        yield
    for kernel in KERNELS:
        kernel.cache_clear()


def test_attention_is_within_the_derived_tolerance(compiler, monkeypatch):
    for dtype in "float32", "float64":
        compared("modern.update", draw((1, 5), (140, 5), dtype=dtype), dtype, beta=0.5)
    with monkeypatch.context() as many:
        many.setattr(_attend, "MANY", 1)
        for dtype in "float32", "float64":
            compared("modern.update", draw((1, 3), (34, 3), dtype=dtype), dtype, beta=0.5)
    half = Case("half precision", [a.astype("f2").astype(float) for a in draw((1, 5), (40, 5))], {})
    compared_in_half(load()["modern.update"], half, np.dtype("f2"), double.asarray, double.asnumpy)
    compared("attention.causal_linear_attention",
             [np.abs(a) for a in draw((9, 5), (9, 5), (9, 3))], "float32")


def test_features_are_within_the_derived_tolerance(compiler):
    for dtype in "float32", "float64":
        x, omega = draw((2, 3), (34, 3), dtype=dtype)
        compared("features.trigonometric", (x, omega), dtype)
        compared("features.log_gerf", (x, omega), dtype, A=-0.2)


def test_sweeps_have_the_values_of_the_formula(compiler):
    rng = np.random.default_rng(0)
    for dtype in "float32", "float64":
        W, xi = (rng.integers(-2, 3, shape).astype(dtype) for shape in ((40, 40), (1, 40)))
        states, order = np.where(xi > 0, 1, -1).astype(dtype), rng.integers(0, 40, 30)
        y = classical.asynchronous_update(double.asarray(states), double.asarray(W),
                                          order=double.asarray(order), backend="cupy")
        assert np.array_equal(y.get(), classical.asynchronous_update(states, W, order=order))
    X, states, order = rng.standard_normal((40, 3)), np.ones((1, 3)), np.array([0, 1])
    for interaction in "polynomial", "exponential":
        y = dense.asynchronous_update(double.asarray(states), double.asarray(X),
                                      order=double.asarray(order), interaction=interaction,
                                      backend="cupy")
        assert np.array_equal(y.get(), dense.asynchronous_update(
            states, X, order=order, interaction=interaction))
