"""Calls of an operation whose patterns, keys or positions are cut into chunks."""
import numpy as np
from hypothesis import strategies as st

from hopref import parts
from hopref.check.cases.strategies import calls
from hopref.dispatch import operation
from hopref.parts.chunks import kind_of

OPS = {name: op for name, op in operation.load().items() if op.parts}
CUTS = st.lists(st.integers(0, 5), max_size=4).map(sorted)


def axis_of(op):
    return kind_of(op).OPERATIONS[op.name].axis


def place(op, k):
    """Where the axis of the chunks is in argument k, from the end; None if it has none."""
    dims, axis = op.arrays.get(k, ()), axis_of(op)
    return dims.index(axis) - len(dims) if axis in dims else None


def in_chunks(op, call, cuts, asarray=np.asarray):
    """The arguments of ``stream``: each array with the axis as a list of arrays."""
    args, kwargs = call
    given = dict(zip(op.signature.parameters, args, strict=False)) | kwargs
    for k, v in given.items():
        if isinstance(v, np.ndarray):
            at = place(op, k)
            given[k] = asarray(v) if at is None else [
                asarray(part) for part in np.split(v, np.minimum(cuts, v.shape[at]), axis=at)]
    names = list(op.signature.parameters)[:len(args)]
    return [given[k] for k in names], {k: given[k] for k in kwargs}


@st.composite
def streamable(draw, op, **how):
    """A call that can be streamed; a state passed in has a scale that is not the log of 0."""
    args, kwargs = draw(calls(op, **how))
    legal = {"causal": lambda v: False, "sequence": lambda v: "none",
             "alpha": lambda v: 2.0 if v == 1 else v,
             "c": lambda v: np.maximum(v, -64.0) if isinstance(v, np.ndarray) else v}
    return args, {k: legal.get(k, lambda v: v)(v) for k, v in kwargs.items()}


def streamed(op, call, cuts, asarray=np.asarray):
    args, kwargs = in_chunks(op, call, cuts, asarray)
    return parts.stream(op, *args, **kwargs)
