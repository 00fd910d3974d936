"""Results over the whole range of floating point: right, or refused; never NaN.

Every operation of the registry that takes arrays is called with states, patterns, features and
values of sizes from 1e-300 to 1.7e308.
"""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopref import attention, kernels, modern, performer, structured
from hopref.check.strategies import calls
from hopref.dispatch import domains
from hopref.dispatch import operation as dispatch
from hopref.errors import DomainError

OPS = {name: op for name, op in dispatch.load().items() if op.arrays}
SIZES = [1e-300, 1e-200, 1e-155, 1e-30, 1.0, 1e30, 1e155, 1e200, 1e300, 1.7e308]
EXTREME = [size for size in SIZES if not 1e-100 < size < 1e100]

def scaled(op, given, size):
    """The call with every array of free numbers brought to this size."""
    def grown(k, v):
        domain = op.domains[k]
        free = isinstance(domain, domains.Array) and domain.kind == "real" \
            and domain.said in ("finite", "finite and >= 0")
        v = np.asarray(v) if free and np.ndim(v) else v
        return size * (v / max(1.0, np.abs(v).max(initial=0.0))) if free and np.ndim(v) else v
    return {k: grown(k, v) for k, v in given.items()}


@pytest.mark.parametrize("name", OPS)
def test_finite_input_never_gives_nan_without_an_error(name):
    op = OPS[name]

    @settings(max_examples=6)
    @given(calls(op, every=True, empty=False), st.sampled_from(EXTREME))
    def never_nan(call, size):
        args, kwargs = call
        given = scaled(op, dict(zip(op.signature.parameters, args, strict=False)) | kwargs, size)
        if "empty_row" in given:
            given["empty_row"] = "zeros"                    # "nan" asks for NaN
        operands = [given[k] for k, p in op.signature.parameters.items()
                    if p.kind is p.POSITIONAL_ONLY and k in given]
        rest = {k: given[k] for k, p in op.signature.parameters.items()
                if p.kind is p.KEYWORD_ONLY and k in given}
        try:
            with np.errstate(divide="ignore"):              # the log of a 0 is a result
                y = op(*operands, **rest)
        except DomainError:
            return
        for part in y if isinstance(y, tuple) else (y,):
            assert not np.isnan(part).any()

    never_nan()
