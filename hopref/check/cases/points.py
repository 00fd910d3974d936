"""Points in general position: where a gradient is compared with differences of its rule.

Sizes, options and numbers are drawn, so that no two scores agree by accident and few entries lie
near a kink; most keys and patterns are visible, and exponents are of moderate size.
"""
from functools import partial

import numpy as np

from hopref.check.cases.arguments import accepted, legal, shape_of, typical, with_multiples
from hopref.check.cases.draws import Draw
from hopref.check.tolerance.differences import differentiated, symmetric
from hopref.dispatch.domains import Choice, Flag, Several
from hopref.dispatch.operation import gradient_of

__all__ = ["points"]

LEADING = ((), (3,), (2, 2))
SIDES = (1, 2, 2, 3, 3, 4, 4, 5)     # a size of 1 is rarer: gradients are then often 0
SPREAD = 0.7                        # the standard deviation of entries
FEATURES = {"phi_q", "phi_k", "z"}  # of both signs their denominators come near 0
LARGEST, OF_GAMMA = 4.0, 2.0        # of numbers: scores then stay below about 10
HIDDEN = 0.15                       # the share of entries that are masked, or -inf


def points(rule):
    """Draws of the arguments of the gradient of ``rule``, and of a direction for the rule's own:
    ``{"given": ..., "direction": ...}``, both by name."""
    return Draw(partial(point, rule))


def point(rule, rng):
    gradient, given = gradient_of(rule), None
    while given is None:
        given = accepted(gradient, call(gradient, rng))
    defaults = {k: p.default for k, p in gradient.signature.parameters.items()}
    given = {k: x for k, x in given.items() if x is not defaults[k]}
    moved = {k: step(rule, k, given[k], rng) for k in differentiated(rule) if k in given}
    return {"given": given, "direction": moved}


def step(rule, k, x, rng):
    """A direction for one argument: visible entries move freely, a number by a share of itself."""
    if isinstance(x, float):
        return x * rng.standard_normal() / 4
    free = rng.standard_normal(x.shape) * np.isfinite(x)
    return (free + free.T) / 2 if symmetric(rule, k) else free


def call(gradient, rng):
    """Every required argument, and about half of the others."""
    sizes, given = drawn_sizes(gradient, rng), {}
    for k, parameter in gradient.signature.parameters.items():
        if parameter.default is not parameter.empty and rng.random() < 0.5:
            given[k] = parameter.default
        elif k in gradient.arrays:
            given[k] = array(gradient, k, sizes, rng)
        else:
            given[k] = option(k, gradient.domains[k], rng)
    if "z" in given and given.get("k", 0) > 1:          # of all entries there is one subset
        given["k"] = min(given["k"], max(1, given["z"].shape[-1] - 1))
    if "activation" in given and "xi" in given:
        given["xi"] = inside(given["xi"], given["activation"])
    return given


def drawn_sizes(gradient, rng):
    """A size for each axis."""
    names = {dim for dims in gradient.arrays.values() for dim in dims}
    sizes = {dim: LEADING[rng.integers(3)] if dim == "..." else int(rng.choice(SIDES))
             for dim in sorted(names)}
    if {"m", "r"} <= names:             # features: as many as draws, or two for each
        sizes["r"] = sizes["m"] * int(rng.integers(1, 3))
    return with_multiples(sizes, names, int(rng.integers(1, 4)))


def array(gradient, k, sizes, rng):
    """The numbers of one array argument."""
    shape, domain = shape_of(gradient.arrays[k], sizes), gradient.domains[k]
    if domain.kind == "bool":
        return rng.random(shape) >= HIDDEN
    if domain.kind == "integer":
        return rng.integers(0, sizes[domain.below], shape)
    x = np.asarray(legal(domain, SPREAD * rng.standard_normal(shape)))
    if domain.holds is not None and np.all(domain.holds(np, np.asarray(-np.inf))):
        return np.where(rng.random(shape) < HIDDEN, -np.inf, x)
    return np.abs(x) if k in FEATURES else x


def inside(x, activation):
    """States inside the range of their activation."""
    return 1 / (1 + np.exp(-x)) if activation == "sigmoid" else np.tanh(x)


def option(k, domain, rng):
    """A value of a parameter that is no array."""
    if isinstance(domain, Choice):
        return str(rng.choice(sorted(domain.names)))
    if isinstance(domain, Several):
        names = sorted(domain.choice.names)
        return tuple(map(str, rng.choice(names, size=rng.integers(1, 4))))
    if isinstance(domain, Flag):
        return bool(rng.integers(2))
    if domain.kind is int:
        return int(rng.choice([n for n in SIDES if domain.holds(n)]))
    return number(OF_GAMMA if k == "gamma" else LARGEST, domain, rng)


def number(most, domain, rng):
    """A number of the domain, at most ``most``: a typical one, or another."""
    known = [x for x in typical(domain) if abs(x) <= most]
    while True:
        x = float(rng.choice(known) if rng.random() < 0.5 else rng.uniform(-most, most))
        if domain.holds(x):
            return x
