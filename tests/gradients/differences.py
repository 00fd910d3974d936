"""Central differences of a rule in long double, beside its vector-Jacobian product.

For a direction v of all arguments and cotangents g of all results, ``<J^T g, v>`` must be the
derivative of ``<g, rule(arguments + t v)>`` at t = 0.  The derivative is taken by five-point
stencils of step h, h/2 and h/4, whose errors are O(h^4).  Where the last change is at most a
quarter of the one before, it bounds the error that is left.  The rest is the rule's own rounding
over h/4 and the tolerance of the gradient.

Where a kink lies inside the stencil, or the rule moves so fast that no polynomial follows it, the
changes do not shrink so, or the second difference fails to shrink with h: such draws say nothing
and are passed over.
"""
import inspect
from types import SimpleNamespace

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from hopref.check.cases.arguments import legal
from hopref.check.cases.strategies import calls
from hopref.check.engine.judge import parts
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import EXACT, tolerance, truth
from hopref.dispatch.domains import Scalar
from hopref.dispatch.operation import OPS, gradient_of, load

load()
GRADIENTS = {name: op for name, op in OPS.items() if gradient_of(op)}      # rules that have one
CONSTANT = {"sign_q", "sign_k", "theta"}        # signs and thresholds
H = 2.0**-10
STENCIL = ((1, 2 / 3), (2, -1 / 12))


def wrt(rule):
    """The arguments that have cotangents: real arrays in order, then numbers."""
    named = [k for k in rule.signature.parameters if k not in CONSTANT]
    return ([k for k in named if k in rule.arrays and rule.domains[k].kind == "real"]
            + [k for k in named if isinstance(rule.domains[k], Scalar)
               and rule.domains[k].kind is float])


def cotangents(rule):
    """Names of the leading arguments of the gradient that the rule lacks."""
    return [k for k in gradient_of(rule).signature.parameters if k not in rule.signature.parameters]


@st.composite
def points(draw, rule):
    """A legal call of the gradient in general position: shapes and options drawn, numbers from a
    seed, so that no two agree by accident."""
    gradient = gradient_of(rule)
    args, kwargs = draw(calls(gradient, empty=False, leading=st.sampled_from([(), (3,), (2, 2)])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    given = dict(zip(gradient.signature.parameters, args, strict=False)) | kwargs
    for k, x in given.items():
        if isinstance(x, np.ndarray) and x.dtype == float:
            new = legal(gradient.domains[k], 0.7 * rng.standard_normal(x.shape))
            hidden = np.isinf(x) & (rng.random(x.shape) < 0.3)      # most things are seen
            given[k] = np.where(hidden, x, in_the_open(k, new, given, rule))
        elif isinstance(x, np.ndarray) and x.dtype == bool:
            given[k] = x | (rng.random(x.shape) < 0.7)
    for k, most in {"beta": 4.0, "scale": 4.0, "alpha": 4.0, "gamma": 2.0}.items():
        if given.get(k) is not None and given[k] > most:
            given[k] = 1 + (most - 1) * rng.random()
    if "z" in given and given.get("k", 0) > 1:
        given["k"] = min(given["k"], max(1, given["z"].shape[-1] - 1))
    return {"call": given, "seed": draw(st.integers(0, 2**32))}


def in_the_open(k, x, given, rule):
    """Weights that are symmetric, states inside the range of their activation, where they must."""
    if k in rule.domains and symmetric(rule, k):
        return (x + x.T) / 2
    if k != "xi" or "activation" not in rule.domains:
        return x
    return 1 / (1 + np.exp(-x)) if given.get("activation") == "sigmoid" else np.tanh(x)


def symmetric(rule, k):
    return getattr(rule.domains[k], "structural", None) is not None


def evaluated(rule, given, v, t):
    """The rule's results at ``given + t v``, in long double."""
    moved = {k: np.longdouble(x) + t * v[k] if k in v else x for k, x in given.items()}
    positional = [k for k, p in rule.signature.parameters.items()
                  if p.kind is inspect.Parameter.POSITIONAL_ONLY]
    args = [moved.pop(k) for k in positional if k in moved]
    return parts(truth(rule, args, moved))


def split(op, given):
    kinds = op.signature.parameters
    args = [x for k, x in given.items() if kinds[k].kind is inspect.Parameter.POSITIONAL_ONLY]
    return args, {k: x for k, x in given.items()
                  if kinds[k].kind is inspect.Parameter.KEYWORD_ONLY}


def directions(rule, given, rng):
    """A random direction for every argument that moves; those at their defaults stay."""
    v = {}
    for k in wrt(rule):
        x = given.get(k)
        if x is None:
            continue
        free = rng.standard_normal(np.shape(x)) * np.isfinite(x)
        if symmetric(rule, k):
            free = (free + free.T) / 2
        v[k] = free if np.ndim(x) else float(x) * free / 4
    return v


def difference(rule, call, seed):
    """(derivative, its error, cotangents by name, direction): or a draw that says nothing."""
    gradient = gradient_of(rule)
    first = cotangents(rule)
    given = {k: x for k, x in call.items() if k not in first}
    rng = np.random.default_rng(seed)
    v = directions(rule, given, rng)
    g = [call[k] for k in first]

    def total(t):
        y = evaluated(rule, given, v, np.longdouble(t))
        return sum(np.sum(a * np.where(np.isfinite(b), b, 0)) for a, b in zip(g, y))

    h = H
    here = total(0.0)
    F = {t: (total(t), total(-t)) for t in (h / 4, h / 2, h, 2 * h)}
    rough, middle, fine = (sum(c * (F[k * s][0] - F[k * s][1]) for k, c in STENCIL) / s
                            for s in (h, h / 2, h / 4))
    bends = [abs(F[s][0] - 2 * here + F[s][1]) / s for s in (h, h / 2)]
    args, kwargs = split(rule, given)
    exact = truth(rule, args, kwargs)
    assume(not any(np.any(np.isnan(y)) for y in parts(exact)))      # NaN on request: no derivative
    radii = parts(tolerance(rule, args, kwargs, exact, EXACT))
    noise = 4 * sum(float(np.sum(np.abs(a) * r)) for a, r in zip(g, radii)) / (h / 4)
    size = float(abs(fine)) + sum(float(np.sum(np.abs(a))) for a in g)
    changes = float(abs(rough - middle)), float(abs(middle - fine))
    error = changes[1] + noise
    assume(np.isfinite(error) and error < 1e-8 * size + 1e-300)
    assume(changes[1] <= changes[0] / 4 + noise)
    assume(bends[1] <= 0.75 * bends[0] + 8 * noise)
    return SimpleNamespace(value=float(fine), error=error, direction=v, gradient=gradient)


def pulled_back(gradient, rule, call, v, apply=None):
    """<J^T g, v> of the gradient as it comes, and the tolerance of what it came from."""
    args, kwargs = split(gradient, call)
    got = (apply or gradient)(*args, **kwargs)
    honest = truth(gradient, args, kwargs)
    radii = parts(tolerance(gradient, args, kwargs, honest, PROFILES["float64"]))
    value = allowed = 0.0
    size = sum(float(np.sum(np.abs(call[k]))) for k in cotangents(rule))
    for k, d, r, there in zip(wrt(rule), parts(got), radii, parts(honest), strict=True):
        if k in v:
            value += float(np.sum(d * v[k]))
            size += float(np.sum(np.abs(there * v[k])))
            allowed += float(np.sum(np.abs(v[k]) * np.where(v[k] == 0, 0.0, r)))
            if not np.ndim(call[k]):        # rules take roots of numbers in double precision
                allowed += 4 * 2.0**-52 / (H / 4) * abs(float(there * call[k]))
    assume(allowed <= 1e-6 * size + 1e-300)         # else this draw asks for nothing
    return value, allowed + 2.0**-48 * size


def compared(name, g, operands, named, theirs):
    """Autograd may round as any honest candidate; how much of that it uses, at worst."""
    op = load()[f"gradients.{name}"]
    args = (*g, *operands)
    ours, honest = op(*args, **named), truth(op, args, named)
    radii = parts(tolerance(op, args, named, honest, PROFILES["float64"]))
    worst = 0.0
    for a, b, r in zip(ours, theirs, radii):
        off = np.abs(a - b)
        worst = max(worst, float(np.max(off / np.where(off > 0, 2 * r, 1))))
    return worst
