"""Legal calls of any operation, drawn from its declaration alone (hypothesis).

``calls(op)`` draws ``(args, kwargs)`` with ``op(*args, **kwargs)`` that it accepts: arrays
whose axes agree, empty leading axes among them, keyword arrays present or absent, every option and
every scalar.  A new operation is drawn because it is declared; a new domain needs one entry here.

    @given(calls(hopref.modern.update))
    def test_mine(call):
        args, kwargs = call
        mine(*args, **kwargs)
"""
import dataclasses
import inspect

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hopref.dispatch import domains
from hopref.dispatch.validation import NONEMPTY

__all__ = ["calls", "sizes", "array", "scalar", "NUMBERS"]

NUMBERS = st.floats(-8, 8, width=32)

LEADING = st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 0)])
PLACES = st.sampled_from([(), (1,), (3,), (2, 3)])

POSITIVE = st.sampled_from([1.0, 0.125, 3.0, 40.0]) | st.floats(2.0**-10, 64.0)

SCALARS = {
    domains.positive: POSITIVE,
    domains.inverse_temperature: POSITIVE,
    domains.nonnegative: st.sampled_from([0.0, 1.0]) | st.floats(0.0, 4.0),
    domains.real: st.floats(-4.0, 4.0),
    domains.share: st.sampled_from([0.5, 0.01]) | st.floats(2.0**-20, 1 - 2.0**-20),
    domains.count: st.integers(1, 5),
}

WHOLE = st.integers(0, 64)
ANYTHING = st.floats(2.0**-20, 0.25) | st.floats(-64.0, 64.0) | WHOLE       # often a small share

# From free numbers to numbers that a domain admits.
LEGAL = {
    domains.finite: lambda x: x,
    domains.phi: lambda x: np.abs(x),
    domains.each_below_an_eighth: lambda x: np.minimum(x, 7.0) / 64,
    domains.symmetric: lambda x: (x + np.swapaxes(x, -1, -2)) / 2,
    domains.uniform(""): lambda x: np.abs(x) % 1,
    domains.factors(""): lambda x: np.abs(x) + 1,
}

# From free numbers to tamer ones: signs, bits, the ranges of tanh and of the sigmoid.
TAMER = (
    lambda x: x,
    lambda x: np.where(x > 0, 1.0, -1.0),
    lambda x: np.where(x > 0, 1.0, 0.0),
    lambda x: np.clip(x, -1.0, 1.0),
    lambda x: np.clip(x, 0.0, 1.0),
)


@st.composite
def calls(draw, op, *, numbers=NUMBERS, leading=None, empty=True, every=False):
    """Arguments ``op`` admits: with ``every`` none is left out, without ``empty`` no axis is 0.

    ``numbers`` and ``leading`` are strategies of entries and of leading axes.
    """
    size = draw(sizes(op, leading=leading, empty=empty))
    given = {}
    for name, parameter in op.signature.parameters.items():
        optional = parameter.default is not inspect.Parameter.empty
        if optional and not every and draw(st.booleans()):
            given[name] = parameter.default
        elif name in op.arrays:
            given[name] = draw(array(op, name, size, numbers=numbers))
        else:
            given[name] = draw(scalar(op, name))
    return _split(op, _as_demanded(op, given))


@st.composite
def sizes(draw, op, *, leading=None, empty=True):
    """A size for each axis name, a tuple for the leading axes."""
    names = {dim for dims in op.arrays.values() for dim in dims}
    must = NONEMPTY | {getattr(d, "below", "") for d in op.domains.values()}
    if leading is None:
        leading = LEADING if empty else PLACES
    size = {dim: draw(leading) if dim == "..." else
            draw(side(1 if dim in must or not empty else 0)) for dim in sorted(names)}
    if {"m", "r"} <= names:         # features: as many as draws, or two for each
        size["r"] = size["m"] * draw(st.sampled_from([1, 2]))
    for dim in names:       # a multiple: of a number, of as many functions as are named; a square
        if dim[0].isdigit():
            size[dim] = int(dim[:-1]) * size[dim[-1]]
        elif dim == "lm":
            size[dim] = size["m"] * draw(st.sampled_from([1, 2, 3]))
        elif dim == "dd":
            size[dim] = size["d"] ** 2
    return size


def side(least):
    """Mostly a few, now and then none or one."""
    return st.sampled_from([3, 2, 4, 1, 5] + [0] * (least == 0))


@st.composite
def array(draw, op, name, size, *, numbers=NUMBERS):
    """An array that may stand for the argument ``name``."""
    dims, domain = op.arrays[name], op.domains[name]
    shape = tuple(s for dim in dims
                  for s in (size[dim] if isinstance(size[dim], tuple) else (size[dim],)))
    if domain.kind == "bool":
        return draw(hnp.arrays(bool, shape))
    if domain.kind == "integer":
        sites = st.integers(0, size[domain.below] - 1)
        return draw(hnp.arrays(np.int64, shape, elements=sites))
    x = draw(hnp.arrays(np.float64, shape, elements=numbers))
    here = dataclasses.replace(domain, dims="")
    if here in LEGAL:
        return LEGAL[here](x)
    if domain.holds is None:
        return x
    if np.all(domain.holds(np, np.asarray(-np.inf))):       # a log scale: -inf is the log of 0
        return np.where(draw(hnp.arrays(bool, shape)), x, -np.inf)
    legal = next((y for y in (tame(x) for tame in TAMER) if np.all(domain.holds(np, y))), None)
    assume(legal is not None)
    return legal


def scalar(op, name):
    """Values of a parameter that is no array: options by name, numbers, flags, seeds, None."""
    domain, default = op.domains[name], op.signature.parameters[name].default
    values = _values(domain)
    return st.none() | values if default is None else values


def _values(domain):
    if isinstance(domain, domains.Choice):
        return st.sampled_from(sorted(domain.names))
    if isinstance(domain, domains.Several):
        one = st.sampled_from(sorted(domain.choice.names))
        return st.lists(one, min_size=1, max_size=3).map(tuple)
    if isinstance(domain, domains.Flag):
        return st.booleans()
    if isinstance(domain, domains.Seed):
        return st.integers(0, 2**32)
    if domain in SCALARS:
        return SCALARS[domain]
    free = WHOLE if domain.kind is int else ANYTHING
    return free.filter(domain.holds).map(domain.kind)


def _as_demanded(op, given):
    """The same call with tamer states, or masks that hide nothing, until the demands are met."""
    assume(op.shape_rule is None or op.shape_rule(given) is None)
    if not op.precondition:
        return given
    tries = [_states(op, given, tame) for tame in TAMER]
    tries += [_everything_seen(g) for g in tries]
    legal = next((g for g in tries if op.precondition(np, g) is None), None)
    assume(legal is not None)
    return legal


def _states(op, given, tame):
    """``given`` with the real arrays that carry leading axes made tamer."""
    return given | {k: tame(v) for k, v in given.items() if isinstance(v, np.ndarray)
                    and v.dtype == np.float64 and op.arrays[k][0] == "..."}


def _everything_seen(given):
    """Masks that hide nothing, no bias of -inf, and no future to hide."""
    plain = {k: np.ones_like(v) if v.dtype == np.bool_ else np.maximum(v, -64.0)
             for k, v in given.items() if isinstance(v, np.ndarray) and v.dtype != np.int64}
    return given | plain | ({"causal": False} if "causal" in given else {})


def _split(op, given):
    """Positional and keyword arguments; an operand left at its default at the end is left out."""
    parameters = op.signature.parameters
    args = [k for k in given if parameters[k].kind is not inspect.Parameter.KEYWORD_ONLY]
    while args and given[args[-1]] is parameters[args[-1]].default:
        args.pop()
    kwargs = {k: v for k, v in given.items() if parameters[k].kind is inspect.Parameter.KEYWORD_ONLY
              and v is not parameters[k].default}
    return tuple(given[k] for k in args), kwargs
