"""Domains of arguments.

A domain validates a value, perhaps turning a name into what it names, or raises `DomainError`;
`description` completes the sentence "beta must be ...".
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
    "cotangent", "phi", "each_below_an_eighth", "symmetric", "mask", "scores", "sites", "state",
    "choice", "polar", "binary", "factors", "log_factors", "uniform",
]


def _item(value: Any, kinds: str) -> Any:
    """The element of a 0-d NumPy array of these kinds, as .npz files hold them; or ``value``."""
    single = type(value) is np.ndarray and value.ndim == 0 and value.dtype.kind in kinds
    return value[()] if single else value


@dataclass(frozen=True)
class Scalar:
    """A number: what it must be, and whether it may be fractional."""
    description: str
    holds: Callable[[Any], bool]
    kind: type = float

    def validate(self, name: str, value: Any) -> Any:
        if type(value) is self.kind and self.holds(value):
            return value
        number = numbers.Integral if self.kind is int else numbers.Real
        item = _item(value, "fiu")
        if isinstance(item, number) and not isinstance(item, (bool, np.bool_)):
            exact = item if isinstance(item, np.longdouble) else _converted(self.kind, item)
            if exact is not None and self.holds(exact):
                return exact
        raise DomainError(f"{name} must be {self.description}; got {name}={value!r}")


def _converted(kind: type, value: Any) -> Any:
    """``value`` as a Python number, or None if that would change it."""
    try:
        converted = kind(value)
    except (OverflowError, ValueError):
        return None
    return converted if converted == value or value != value else None


@dataclass(frozen=True)
class Choice:
    """One of several names, which is replaced by the object that it names; or a user's record."""
    names: dict[str, Any]
    record: type | None = None

    def validate(self, name: str, value: Any) -> Any:
        item = _item(value, "U")
        if isinstance(item, str) and item in self.names:
            return self.names[item]
        if self.record is not None and isinstance(item, self.record):
            return item
        own = f" or {self.record.__name__}(...)" if self.record else ""
        raise DomainError(
            f"{name} must be one of {', '.join(map(repr, self.names))}{own}; got {name}={value!r}")

    def unresolved(self, value: Any) -> Any:
        """A valid value as it was given: a name, or a record."""
        return _item(value, "U")

    def resolve(self, value: Any) -> Any:
        """What a valid value stands for."""
        value = _item(value, "U")
        return self.names[value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Several:
    """A non-empty tuple of choices."""
    choice: Choice

    def validate(self, name: str, value: Any) -> tuple[Any, ...]:
        items = self.unresolved(value)
        if not isinstance(items, (tuple, list)) or not items:
            raise DomainError(f"{name} must be a non-empty tuple of names; got {name}={value!r}")
        return tuple(self.choice.validate(f"{name}[{i}]", v) for i, v in enumerate(items))

    def unresolved(self, value: Any) -> Any:
        """A valid value as it was given; an array of names, as an .npz file holds, is a tuple."""
        named = type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind == "U"
        return tuple(value) if named else value

    def resolve(self, value: Any) -> tuple[Any, ...]:
        """What a valid value stands for."""
        return tuple(self.choice.resolve(v) for v in self.unresolved(value))


@dataclass(frozen=True)
class Flag:
    """True or False; no other value that merely behaves like one of them."""

    def validate(self, name: str, value: Any) -> bool:
        item = _item(value, "b")
        if isinstance(item, (bool, np.bool_)):
            return bool(item)
        raise DomainError(f"{name} must be True or False; got {name}={value!r}")


@dataclass(frozen=True)
class Seed:
    """A seed or a Generator; never the entropy of the moment."""

    def validate(self, name: str, value: Any) -> np.random.Generator:
        item = _item(value, "iu")
        whole = isinstance(item, numbers.Integral) and not isinstance(item, (bool, np.bool_))
        if isinstance(item, (np.random.Generator, np.random.SeedSequence)) or whole and item >= 0:
            return np.random.default_rng(item)
        raise DomainError(
            f"{name} must be an integer >= 0, a SeedSequence or a Generator; got {name}={value!r}")


@dataclass(frozen=True)
class Array:
    """An array: its axes (for keyword arguments), the kind of its numbers, what they must be.

    ``holds(xp, x)`` is True for valid entries; ``structural`` domains are more than a test
    entry by entry and can be left out with ``check=False``.
    """
    dims: str = ""
    kind: str = "real"          # real | bool | integer
    description: str = "finite"
    holds: Callable[[Any, Any], Any] | None = lambda xp, x: xp.isfinite(x)
    structural: Callable[[Any, Any], Any] | None = None
    below: str = ""             # indices: the axis name whose size they stay below
    squares: float = 0.0        # if their sum is below this, all entries are valid
    zeros: bool = False         # whether the number 0 stands for an array of zeros


Domain = Array | Scalar | Choice | Several | Flag | Seed


def nearly_symmetric(xp: Any, W: Any) -> Any:
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
cotangent = Array(zeros=True)
number = Array(description="a number", holds=lambda xp, x: ~xp.isnan(x))
phi = Array(description="finite and >= 0", holds=lambda xp, x: xp.isfinite(x) & (x >= 0))
each_below_an_eighth = Array(description="finite and below 1/8",
                             holds=lambda xp, x: xp.isfinite(x) & (x < 0.125))
polar = Array(description="-1 or +1", holds=lambda xp, x: xp.abs(x) == 1)
binary = Array(description="0 or 1", holds=lambda xp, x: (x == 0) | (x == 1))
symmetric = Array(structural=nearly_symmetric, description="finite and symmetric")


def choice(**names: Any) -> Choice:
    """One of these names."""
    return Choice(names)


def state(dims: str) -> Array:
    """A keyword array of finite numbers with these axes."""
    return Array(dims)


def factors(dims: str = "") -> Array:
    """A keyword array of finite numbers > 0."""
    return Array(dims, description="finite and > 0", holds=finite_and_positive)


def finite_and_positive(xp: Any, x: Any) -> Any:
    return xp.isfinite(x) & (x > 0)


def log_factors(dims: str = "") -> Array:
    """Logarithms of factors between 0 and 1: -inf is the log of 0."""
    return Array(dims, description="<= 0", holds=not_positive)


def not_positive(xp: Any, x: Any) -> Any:
    return x <= 0


def uniform(dims: str) -> Array:
    """Random numbers, drawn uniformly."""
    return Array(dims, description=">= 0 and < 1", holds=below_one)


def below_one(xp: Any, x: Any) -> Any:
    return (x >= 0) & (x < 1)


def mask(dims: str) -> Array:
    """True where an entry takes part."""
    return Array(dims, "bool", "boolean", None)


def scores(dims: str = "") -> Array:
    """Numbers on a log scale: -inf is the log of 0."""
    return Array(dims, "real", "finite or -inf", below_infinity)


def below_infinity(xp: Any, x: Any) -> Any:
    return x < math.inf


def no_larger_than(power: int) -> Array:
    """Finite numbers of which sums of products stay in range."""
    return Array(description=f"finite and below 2^{power} in size",
                 holds=lambda xp, x: xp.abs(x) < 2.0**power,
                 squares=2.0 ** min(2 * power, 1023))


def sites(dims: str, below: str) -> Array:
    """Indices of sites along the axis named ``below``."""
    return Array(dims, "integer", "sites", None, below=below)
