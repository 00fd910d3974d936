"""Candidates that take CuPy arrays, on the substitute for CuPy, which refuses host copies."""
import sys

import numpy as np
import pytest

from hopref.check import check
from hopref.errors import PluginError
from tests.doubles import cupy as double


@pytest.fixture(autouse=True)
def cupy(monkeypatch):
    """The module of the candidates below is what `import cupy` gives."""
    with double.installed() as cupy:
        monkeypatch.setattr(sys.modules[__name__], "cupy", cupy, raising=False)
        yield cupy


def retrieve(xi, X, beta=1.0):
    scores = beta * cupy.matmul(xi, X.T)
    weights = cupy.exp(scores - cupy.max(scores, axis=-1, keepdims=True))
    return cupy.matmul(weights / cupy.sum(weights, axis=-1, keepdims=True), X)


def twice(xi, X, beta=1.0):
    return retrieve(beta * xi, X, beta)


def through_the_host(xi, X, beta=1.0):
    return retrieve(cupy.asarray(np.asarray(xi)), X, beta)


def in_place(xi, X, beta=1.0):
    xi *= 1.5
    return retrieve(xi / 1.5, X, beta)


def judged(candidate, **options):
    return check(candidate, like="modern.update", **{"array": "cupy", **options})


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_a_right_candidate_conforms_and_gets_arrays_of_the_device(dtype):
    report = judged(retrieve, dtype=dtype)
    assert report.verdict == "conforms", report.findings
    assert report.cases > 20


def test_a_known_bug_is_named():
    assert judged(twice).named == ["beta applied twice"]


def test_a_hidden_copy_to_the_host_is_found():
    report = judged(through_the_host)
    assert report.verdict == "fails"
    assert any("Implicit conversion" in str(f) for f in report.findings), report.findings


def test_a_candidate_that_changes_its_arguments_is_found():
    names = {f.name for f in judged(in_place).findings}
    assert "writes into its input" in names, names


def test_arrays_of_the_host_for_code_of_cupy_are_wrong_usage():
    with pytest.raises(PluginError, match="code of cupy received NumPy arrays: --array cupy"):
        judged(retrieve, array="numpy")
