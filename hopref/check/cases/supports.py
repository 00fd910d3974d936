"""Draws of supports: masks, lists of pairs, windows, and the patterns that they are of."""
import numpy as np

from hopref.check.cases.draws import (
    arrays,
    booleans,
    composed,
    integers,
    lists,
    masks,
    records,
    sampled,
)
from hopref.check.cases.problems import problems

__all__ = ["windows", "supported", "paired", "limited", "listed", "in_order", "estimated"]

FORMATS = [f"{form}_{kind}" for form in ("csr", "csc", "coo") for kind in ("array", "matrix")]

windows = records(width=integers(1, 3), dilation=integers(1, 3), causal=booleans(),
                  align=sampled(["end", "start"]))


@composed
def supported(draw):
    """A problem with a support for each state; some of them are empty."""
    case = draw(problems())
    return case | {"support": draw(masks(len(case["xi"]), len(case["X"])))}


@composed
def paired(draw):
    """A problem with supports, whose patterns are queried by x + delta."""
    case = draw(supported())
    return case | {"delta": draw(arrays(*case["X"].shape))}


@composed
def limited(draw):
    """A problem with how many patterns take part."""
    case = draw(problems())
    return case | {"k": draw(integers(1, len(case["X"])))}


@composed
def listed(draw, stored=False):
    """A problem with pairs (state, pattern) in any order, some of them twice.

    With ``stored``, each pair is True or False, and a format of scipy.sparse holds them.
    """
    case = draw(problems())
    m, n = len(case["xi"]), len(case["X"])
    pairs = np.array(draw(lists(integers(0, m * n - 1), most=9)), dtype=int)
    case = case | {"rows": pairs // n, "columns": pairs % n}
    if stored:
        case |= {"held": draw(masks(len(pairs), seen=0.7)), "form": draw(sampled(FORMATS))}
    return case


@composed
def in_order(draw):
    """A problem whose states are in order, with a window."""
    return draw(problems(max_m=6)) | draw(windows)


@composed
def estimated(draw):
    """States, patterns with the delta of their queries, a draw omega; of moderate length."""
    m, n, d, r = (draw(integers(1, most)) for most in (6, 4, 4, 5))
    near = integers(-12, 12).map(lambda k: k / 8)
    rows = {"xi": m, "X": n, "omega": r, "delta": n}
    return {k: draw(arrays(count, d, elements=near)) for k, count in rows.items()} \
        | {"beta": draw(sampled([0.25, 1.0, 2.0]))}
