"""Hypothesis strategies of valid calls of any operation, derived from its declaration.

``calls(op)`` draws ``(args, kwargs)`` that ``op(*args, **kwargs)`` accepts: arrays of matching
shapes, some with empty leading axes, keyword arrays present or absent, every option and every
scalar. ::

    @given(calls(hopref.modern.update))
    def test_mine(call):
        args, kwargs = call
        mine(*args, **kwargs)
"""
import inspect
import math

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hopref.check.cases.arguments import accepted, legal, shape_of, split, typical, with_multiples
from hopref.dispatch.domains import Choice, Flag, Seed, Several, count
from hopref.dispatch.validation import NONEMPTY
from hopref.features import PAIRED

__all__ = ["calls", "sizes", "scalar", "NUMBERS"]

# Entries of arrays, all of them exact in float32, the simplest first: few numbers that make ties,
# the ends of the format and neighbours of 1, and numbers that have all of its digits.
ONE_ULP = 2.0**-23
TIES = (0.0, 1.0, -1.0, 0.0, 2.0, 0.5, 0.0, -0.5, 0.0, 1.0, -3.0, 0.0)
ENDS = (-0.0, 2.0**-149, -2.0**-149, 2.0**-126, -2.0**-126, 1 + ONE_ULP, 1 - ONE_ULP / 2,
        -1 - ONE_ULP, 8.0, -8.0, 7.0, 1.5)
DIGITS = tuple(float(np.float32(k * 0.6180339887498949 % 1 * 16 - 8)) for k in range(1, 33))
NUMBERS = 4 * TIES + ENDS + DIGITS
FLOATS = st.floats(-8, 8, width=32)
LEADING = st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 0)])
NONEMPTY_LEADING = st.sampled_from([(), (1,), (3,), (2, 3)])
ANYTHING = st.floats(2.0**-20, 0.25) | st.floats(-64.0, 64.0).filter(
    lambda v: v == 0 or abs(v) >= 2.0**-20)         # often a small share, never a tiny number


@st.composite
def calls(draw, op, *, numbers=None, leading=None, empty=True, every=False):
    """Arguments that an op accepts.

    Parameters
    ----------
    op : operation
    numbers : strategy of the entries of arrays, or a sequence to choose them from, which is faster
    leading : strategy of the shapes of leading axes
    empty : bool, whether axes may have size 0
    every : bool, whether every optional argument is passed

    Returns
    -------
    Strategy of pairs (args, kwargs)
    """
    size = draw(sizes(op, leading=leading, empty=empty))
    given = {}
    for name, parameter in op.signature.parameters.items():
        optional = parameter.default is not inspect.Parameter.empty
        if name == "features" and {"m", "r"} <= size.keys():
            given[name] = draw(st.sampled_from(features_of(op, size["r"] // size["m"])))
        elif optional and not every and draw(st.booleans()):
            given[name] = parameter.default
        elif name in op.arrays:
            given[name] = array(draw, op, name, size, numbers=numbers)
        else:
            given[name] = draw(scalar(op, name))
    given = accepted(op, given)
    assume(given is not None)
    return split(op, given)


def features_of(op, width):
    """The names of feature maps that have this number of features for each draw."""
    return sorted(k for k in op.domains["features"].names if 1 + (k in PAIRED) == width)


@st.composite
def sizes(draw, op, *, leading=None, empty=True):
    """The size of each axis, and a tuple of sizes for the leading axes."""
    names = {dim for dims in op.arrays.values() for dim in dims}
    must = NONEMPTY | {getattr(d, "below", "") for d in op.domains.values()}
    if leading is None:
        leading = LEADING if empty else NONEMPTY_LEADING
    size = {dim: draw(leading) if dim == "..." else
            draw(side(1 if dim in must or not empty else 0)) for dim in sorted(names)}
    if {"m", "r"} <= names:         # features: as many as draws, or two for each
        size["r"] = size["m"] * draw(st.sampled_from([1, 2]))
    return with_multiples(size, names, draw(st.sampled_from([1, 2, 3])) if "lm" in names else 1)


def side(least):
    """Sizes of an axis, mostly 2 or more."""
    return st.sampled_from([3, 2, 4, 1, 5] + [0] * (least == 0))


def array(draw, op, name, size, *, numbers=None):
    """A valid array for the argument ``name``."""
    shape, domain = shape_of(op.arrays[name], size), op.domains[name]
    if domain.kind == "bool":
        return entries(draw, shape, (False, True))
    if domain.kind == "integer":
        return entries(draw, shape, np.arange(size[domain.below]))
    x = of_numbers(draw, shape, numbers)
    if domain.holds is not None and np.all(domain.holds(np, np.asarray(-np.inf))):
        return np.where(entries(draw, shape, (False, True)), legal(domain, x), -np.inf)     # logs
    made = legal(domain, x)
    assume(made is not None)
    return made


def of_numbers(draw, shape, numbers):
    """An array of float64; by default of `NUMBERS` and of one number that is any float."""
    if numbers is None:
        return entries(draw, shape, NUMBERS + 12 * (draw(FLOATS),))
    if isinstance(numbers, st.SearchStrategy):
        return draw(hnp.arrays(np.float64, shape, elements=numbers))
    return entries(draw, shape, np.asarray(numbers, np.float64))


def entries(draw, shape, values):
    """An array of some of the values; one in eight repeats a row, one in eight an entry.

    One draw of bytes chooses all entries, which takes a tenth of the time of a draw each.
    """
    block = draw(st.sampled_from([(), shape[-1:], *[shape] * 6]))
    size = math.prod(block)
    bits = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
    drawn = np.asarray(values)[bits % len(values)]
    return np.broadcast_to(drawn.reshape(block), shape).copy()


def scalar(op, name):
    """Values of a parameter that is not an array: options by name, numbers, flags, seeds, None."""
    domain, default = op.domains[name], op.signature.parameters[name].default
    values = of_domain(domain)
    return st.none() | values if default is None else values


def of_domain(domain):
    """Values of a domain."""
    if isinstance(domain, Choice):
        return st.sampled_from(sorted(domain.names))
    if isinstance(domain, Several):
        one = st.sampled_from(sorted(domain.choice.names))
        return st.lists(one, min_size=1, max_size=3).map(tuple)
    if isinstance(domain, Flag):
        return st.booleans()
    if isinstance(domain, Seed):
        return st.integers(0, 2**32)
    known = st.sampled_from(typical(domain))
    if domain is count:
        return known | st.integers(1, 5)
    return known if domain.kind is int else known | ANYTHING.filter(domain.holds)

