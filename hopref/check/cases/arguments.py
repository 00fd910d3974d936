"""Common parts of both ways of drawing arguments: sizes of axes, valid numbers, valid calls.

The generator of the kit (`generator`) and the hypothesis strategies (`strategies`) choose sizes,
options and numbers; this module derives from the declaration which of them are valid.
"""
import dataclasses
import inspect

import numpy as np

from hopref.dispatch import domains

__all__ = ["AXIS", "typical", "legal", "shape_of", "with_multiples", "accepted", "split"]

AXIS = 4                # default size of an axis

# Typical values of the domains of numbers; other domains have those values of ANY that are valid.
POSITIVE = (1.0, 0.125, 3.0, 40.0)
TYPICAL = {
    domains.positive: POSITIVE, domains.inverse_temperature: POSITIVE,
    domains.nonnegative: (0.0, 1.0, 0.25),
    domains.real: (0.0, -0.25, 1.5), domains.share: (0.5, 0.01), domains.count: (1, 2, 3, 5),
}
ANY = (0.25, 1.25, -0.25, 0.01, 2, 1, 0, 3, 64)

# Maps from arbitrary numbers to valid numbers of an array domain.
LEGAL = {
    domains.finite: lambda x: x, domains.cotangent: lambda x: x,
    domains.phi: np.abs,
    domains.each_below_an_eighth: lambda x: np.minimum(x, 7.0) / 64,
    domains.symmetric: lambda x: x / 2 + np.swapaxes(x, -1, -2) / 2,
    domains.uniform(""): lambda x: np.abs(x) % 1,
    domains.factors(""): lambda x: np.abs(x) + 1,
    domains.log_factors(): lambda x: -np.abs(x),
}
RESTRICTED = (          # numbers, signs, bits, the ranges of tanh and of the sigmoid, and the rest
    lambda x: x,
    lambda x: np.where(x > 0, 1.0, -1.0),
    lambda x: np.where(x > 0, 1.0, 0.0),
    lambda x: np.clip(x, -1.0, 1.0),
    lambda x: np.clip(x, 0.0, 1.0),
    np.abs, lambda x: np.abs(x) % 1, lambda x: -np.abs(x),
)


def typical(domain):
    """Typical values of a domain of numbers."""
    return TYPICAL.get(domain) or tuple(
        domain.kind(v) for v in ANY if domain.kind(v) == v and domain.holds(v))


def legal(domain, x):
    """Valid numbers of an array domain, computed from ``x``; None if no map is known."""
    here = dataclasses.replace(domain, dims="")
    if here in LEGAL:
        return LEGAL[here](x)
    ways = (way(x) for way in RESTRICTED)
    return next((y for y in ways if domain.holds is None or np.all(domain.holds(np, y))), None)


def shape_of(dims, sizes):
    """The shape of an array with these axes; a leading axis ``...`` is a tuple of sizes."""
    return tuple(s for dim in dims for s in (sizes[dim] if dim == "..." else (sizes[dim],)))


def with_multiples(sizes, names, functions=1):
    """The sizes, completed by axes that depend on others, and by `AXIS` for any other letter.

    ``2m`` is twice m, ``lm`` is m for each of some functions, ``dd`` the square of d,
    ``dd+d+1`` the number of products of at most two of d numbers, and ``l-1`` that less than l.
    """
    sizes = dict(sizes)
    for dim in names:
        if dim[0].isdigit():
            sizes[dim] = int(dim[:-1]) * sizes.get(dim[-1], AXIS)
        elif dim == "lm":
            sizes[dim] = functions * sizes["m"]
        elif dim == "dd":
            sizes[dim] = sizes["d"] ** 2
        elif dim == "l-1":
            sizes[dim] = max(0, sizes["l"] - 1)
        elif dim == "dd+d+1":
            sizes[dim] = sizes["d"] ** 2 + sizes["d"] + 1
        else:
            sizes.setdefault(dim, () if dim == "..." else AXIS)
    return sizes


def accepted(op, given):
    """A valid call: the given one, or one with restricted states or full masks; None if none is
    valid."""
    if op.shape_rule is not None and op.shape_rule(given) is not None:
        return None
    if not op.precondition:
        return given
    tries = [restricted(op, given, way) for way in RESTRICTED[:5]]
    tries += [all_visible(g) for g in tries]
    return next((g for g in tries if op.precondition(np, g) is None), None)


def restricted(op, given, way):
    """The real arrays with leading axes restricted."""
    return given | {k: way(v) for k, v in given.items() if isinstance(v, np.ndarray)
                    and v.dtype == np.float64 and op.arrays[k][0] == "..."}


def all_visible(given):
    """The call with masks of True, without a bias of -inf, and without a causal mask."""
    plain = {k: np.ones_like(v) if v.dtype == np.bool_ else np.maximum(v, -64.0)
             for k, v in given.items() if isinstance(v, np.ndarray) and v.dtype != np.int64}
    return given | plain | ({"causal": False} if "causal" in given else {})


def split(op, given):
    """Positional and keyword arguments; trailing operands with their default are omitted."""
    parameters = op.signature.parameters
    args = [k for k in given if parameters[k].kind is not inspect.Parameter.KEYWORD_ONLY]
    while args and given[args[-1]] is parameters[args[-1]].default:
        args.pop()
    kwargs = {k: v for k, v in given.items() if parameters[k].kind is inspect.Parameter.KEYWORD_ONLY
              and v is not parameters[k].default}
    return tuple(given[k] for k in args), kwargs
