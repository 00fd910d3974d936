"""What an argument may be.

A domain admits a value, perhaps turning a name into what it names, or says why not; `said`
completes the sentence "beta must be ...".
"""
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopref.errors import DomainError

__all__ = [
    "Array", "Scalar", "Choice", "Several", "Flag", "Seed", "positive", "inverse_temperature",
    "nonnegative", "real", "share", "count", "below_an_eighth", "flag", "seed", "finite", "number",
    "phi", "each_below_an_eighth", "symmetric", "mask", "scores", "sites", "state", "choice",
    "binary", "factors", "uniform",
]


@dataclass(frozen=True)
class Scalar:
    """A number: what it must be, and whether it may be fractional."""
    said: str
    holds: Callable[[Any], bool]
    kind: type = float

    def admit(self, name, value):
        number = numbers.Integral if self.kind is int else numbers.Real
        if isinstance(value, number) and not isinstance(value, (bool, np.bool_)):
            exact = value if isinstance(value, np.longdouble) else _converted(self.kind, value)
            if exact is not None and self.holds(exact):
                return exact
        raise DomainError(f"{name} must be {self.said}; got {name}={value!r}")


def _converted(kind, value):
    """``value`` as a plain number, or None if that would change it."""
    try:
        plain = kind(value)
    except (OverflowError, ValueError):
        return None
    return plain if plain == value or value != value else None


@dataclass(frozen=True)
class Choice:
    """One of a few names, turned into what it names; or a record of the user's own."""
    names: dict
    record: type | None = None

    def admit(self, name, value):
        if isinstance(value, str) and value in self.names:
            return self.names[value]
        if self.record is not None and isinstance(value, self.record):
            return value
        own = f" or {self.record.__name__}(...)" if self.record else ""
        raise DomainError(
            f"{name} must be one of {', '.join(map(repr, self.names))}{own}; got {name}={value!r}")

    def resolve(self, value):
        return self.names[value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Several:
    """A non-empty tuple of choices."""
    choice: Choice

    def admit(self, name, value):
        if not isinstance(value, (tuple, list)) or not value:
            raise DomainError(f"{name} must be a non-empty tuple of names; got {name}={value!r}")
        return tuple(self.choice.admit(f"{name}[{i}]", v) for i, v in enumerate(value))

    def resolve(self, value):
        return tuple(self.choice.resolve(v) for v in value)


@dataclass(frozen=True)
class Flag:
    """True or False, nothing that merely behaves like them."""

    def admit(self, name, value):
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
        raise DomainError(f"{name} must be True or False; got {name}={value!r}")


@dataclass(frozen=True)
class Seed:
    """A seed or a Generator; never the entropy of the moment."""

    def admit(self, name, value):
        whole = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
        if isinstance(value, (np.random.Generator, np.random.SeedSequence)) or whole and value >= 0:
            return np.random.default_rng(value)
        raise DomainError(
            f"{name} must be an integer >= 0, a SeedSequence or a Generator; got {name}={value!r}")


@dataclass(frozen=True)
class Array:
    """An array: its axes (for keyword arguments), the kind of its numbers, what they must be.

    ``holds(xp, x)`` tells which entries are right; ``structural`` domains are more than a test
    entry by entry and can be left out with ``check=False``.
    """
    dims: str = ""
    kind: str = "real"          # real | bool | integer
    said: str = "finite"
    holds: Callable[[Any, Any], Any] | None = lambda xp, x: xp.isfinite(x)
    structural: Callable[[Any, Any], Any] | None = None
    below: str = ""             # indices: the axis name whose size they stay below


def nearly_symmetric(xp, W):
    """Entries that differ from their mirror by no more than rounding: d eps max|W|."""
    slack = W.shape[0] * xp.finfo(W.dtype).eps * xp.max(xp.abs(W)) if W.shape[0] else 0.0
    return xp.abs(W - W.T) <= slack


positive = Scalar("a positive finite number", lambda v: 0 < v < math.inf)
inverse_temperature = Scalar("a finite number >= 1e-300", lambda v: 1e-300 <= v < math.inf)
nonnegative = Scalar("a finite number >= 0", lambda v: 0 <= v < math.inf)
real = Scalar("a finite number", math.isfinite)
share = Scalar("a number between 0 and 1", lambda v: 0 < v < 1)
below_an_eighth = Scalar("a number below 1/8", lambda v: -math.inf < v < 0.125)
count = Scalar("an integer >= 1", lambda v: v >= 1, int)
flag = Flag()
seed = Seed()
finite = Array()
number = Array(said="a number", holds=lambda xp, x: ~xp.isnan(x))
phi = Array(said="finite and >= 0", holds=lambda xp, x: xp.isfinite(x) & (x >= 0))
each_below_an_eighth = Array(said="finite and below 1/8",
                             holds=lambda xp, x: xp.isfinite(x) & (x < 0.125))
binary = Array(said="0 or 1", holds=lambda xp, x: (x == 0) | (x == 1))
symmetric = Array(structural=nearly_symmetric, said="finite and symmetric")


def choice(**names):
    return Choice(names)


def state(dims):
    """A keyword array of finite numbers with these axes."""
    return Array(dims)


def factors(dims=""):
    """A keyword array of finite numbers > 0."""
    return Array(dims, said="finite and > 0", holds=finite_and_positive)


def finite_and_positive(xp, x):
    return xp.isfinite(x) & (x > 0)


def uniform(dims):
    """Random numbers, drawn uniformly."""
    return Array(dims, said=">= 0 and < 1", holds=below_one)


def below_one(xp, x):
    return (x >= 0) & (x < 1)


def mask(dims):
    """True where something may be seen."""
    return Array(dims, "bool", "boolean", None)


def scores(dims=""):
    """Numbers on a log scale: -inf is the log of 0."""
    return Array(dims, "real", "finite or -inf", lambda xp, x: x < math.inf)


def sites(dims, below):
    """Indices of sites along the axis named ``below``."""
    return Array(dims, "integer", "sites", None, below=below)
