"""Every faster path agrees with its formula, for every operation that has one.

The truth is the formula in long double, and the tolerance is derived from the input and the
arithmetic of the path (`hopref.check.tolerance.expected`).  New kernels are tested automatically.
"""
import functools
import importlib
import inspect

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hopref.check.cases.strategies import calls
from hopref.check.engine.judge import parts
from hopref.check.tolerance.arithmetic import largest
from hopref.check.tolerance.expected import truth
from hopref.dispatch.operation import OPS, load
from hopref.errors import BackendError
from tests.check.parts_of_cases import third
from tests.dispatch.calling import on_calls, run, same
from tests.dispatch.layouts import LAYOUTS, SEQUENCES
from tests.fast.agreement import agrees
from tests.groups import each

load()
pytest.importorskip("numba")
PATHS = [(op.name, path) for op in OPS.values() for path in op.paths
         if path not in ("formula", "cupy")]                    # tests/gpu has those of a device
PRECISIONS = [(*path, dtype) for path in PATHS for dtype in ("float32", "float64")]


def test_every_kernel_belongs_to_an_operation():
    """A kernel whose name is not that of a formula would be neither used nor tested."""
    for model, path in {(name.rpartition(".")[0], path) for name, path in PATHS}:
        kernels = importlib.import_module(f"hopref.fast.{path}.{model}").__all__
        assert {(f"{model}.{kernel}", path) for kernel in kernels} <= set(PATHS)


@each("name, path", PATHS)
def test_the_signature_is_that_of_the_formula(name, path):
    model, _, function = name.rpartition(".")
    kernel = getattr(importlib.import_module(f"hopref.fast.{path}.{model}"), function)
    assert inspect.signature(kernel) == OPS[name].signature


@each("name, path, dtype", PRECISIONS, size=4, share=3)
def test_hard_cases_agree_within_the_derived_tolerance(name, path, dtype):
    """A third of the cases of a seed; `hopref check` judges each path in all those of another."""
    for case in third(OPS[name], dtype, seed=1):
        agrees(OPS[name], case.args, case.kwargs, dtype, path)


@each("name, path, dtype", PRECISIONS, size=4, share=3)
def test_random_calls_agree_within_the_derived_tolerance(name, path, dtype):
    narrow = functools.partial(np.asarray, dtype=dtype)

    @given(st.data())
    def agree(data):
        args, kwargs = data.draw(calls(OPS[name]))
        args = [narrow(a) if is_real(a) else a for a in args]
        kwargs = {k: narrow(v) if is_real(v) else v for k, v in kwargs.items()}
        options = rounded(kwargs, dtype)
        assume(not any(excluded(OPS[name].domains[k], v) for k, v in options.items()))
        assume(in_range(truth(OPS[name], args, options), dtype))
        agrees(OPS[name], args, options, dtype, path)

    agree()


def is_real(v):
    return isinstance(v, np.ndarray) and v.dtype == np.float64


def rounded(kwargs, dtype):
    """Real options, rounded to the format of the path before the truth is computed."""
    return {k: float(np.dtype(dtype).type(v)) if type(v) is float else v for k, v in kwargs.items()}


def in_range(exact, dtype):
    """Whether the format of the path holds a finite result; otherwise it is infinite or an error.
    """
    return not any(np.any(np.isfinite(y) & (np.abs(y) > largest(dtype))) for y in parts(exact))


def excluded(domain, narrow):
    """Whether rounding gives a number outside of the domain, such as 0 or an exponent of 1."""
    return type(narrow) is float and not domain.holds(narrow)


@each("name, path", PATHS, size=4, share=3)
def test_layout_changes_no_bit(name, path):
    op = OPS[name]

    def judge(given):
        before = {k: given[k].copy() for k in op.arrays}
        plain = run(op, given, backend=path)
        for k in op.arrays:
            for how in LAYOUTS.keys() - SEQUENCES:
                same(plain, run(op, given | {k: LAYOUTS[how](given[k])}, backend=path))
        same(tuple(before.values()), tuple(given[k] for k in before))
        assert not any(np.shares_memory(y, given[k]) for y in parts(plain) for k in before)

    on_calls(op, judge, examples=2)


@each("name", OPS)
def test_the_error_for_a_missing_path_names_it(name):
    due = [p for p in OPS[name].signature.parameters.values() if p.default is p.empty]
    operands = [1.0 for p in due if p.kind is p.POSITIONAL_ONLY]
    options = {p.name: 1.0 for p in due if p.kind is p.KEYWORD_ONLY}
    with pytest.raises(BackendError, match="backend must be one of formula.*; got 'torch'"):
        OPS[name](*operands, **options, backend="torch")
