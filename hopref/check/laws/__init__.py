"""Laws: what every implementation of an op must keep, whoever wrote it.

A law is a generator over a candidate call.  Its first argument is the candidate `f`, called like
the op; the others are the op's own arguments, by the same names.  It yields claims::

    @law("modern.energy", id="MH-4", kills=("energy without 1/beta",))
    def one_step_lowers_the_energy_by_an_exact_amount(f, xi, X, *, beta=1.0):
        '''E(xi) - E(xi') = |xi' - xi|^2 / 2 + KL(p || p') / beta.'''
        new = modern.update.formula(xi, X, beta=beta)
        yield equal(f(xi, X, beta=beta) - f(new, X, beta=beta), ...)

* Every answer of `f` is a `Ball`: the candidate's numbers, and as radius the derived tolerance of
  an honest implementation in its arithmetic.  The operators, NumPy's functions and ``op.formula``
  work on balls and carry the radii along: a claim holds where two balls meet, and no law picks a
  tolerance.
* The arguments are balls too.  `f` rounds what it is given to the candidate's number format, and
  widens its answer's radius by what that rounding, and the radius of the argument, may change.
* ``f.machine(x)`` rounds to the candidate's format, ``f.exact(op, ...)`` is another op's formula.
* A law that does not apply to its arguments yields nothing.  With ``draws=True`` it judges random
  matrices: `f` is then called with sizes and a seed, and answers plain arrays.

Laws stand in ``hopref/check/laws/<model>.py``; `load` imports them all.  ``kills`` names the bugs
that break the law; the tests of this room hold it to that.
"""
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hopref.check.balls import Ball, about

__all__ = ["LAWS", "Claim", "Law", "Violation", "about", "at_most", "equal", "law", "laws_of",
           "draw_laws_of", "load"]

LAWS = {}


@dataclass(frozen=True)
class Claim:
    """``left`` and ``right`` are equal, or ``left`` is at most ``right``, up to their radii."""
    left: Ball
    right: Ball
    what: str
    ordered: bool = False

    def worst(self):
        """The entry that breaks the claim most: index, left, right, bound; None if it holds."""
        radius = self.left.radius + self.right.radius
        left, right, radius = np.broadcast_arrays(self.left.value, self.right.value, radius)
        with np.errstate(all="ignore"):
            gap = left - right if self.ordered else np.abs(left - right)
            same = (left == right) | np.isnan(left) & np.isnan(right)
        broken = ~(gap <= radius) & ~same
        if not np.any(broken):
            return None
        excess = np.where(broken, np.where(np.isfinite(gap), gap, np.inf), -1.0)
        scale = np.where(radius > 0, radius, np.finfo(float).tiny)
        at = np.unravel_index(int(np.argmax(np.asarray(excess / scale))), excess.shape)
        return tuple(map(int, at)), float(left[at]), float(right[at]), float(radius[at])


def equal(left, right, what=""):
    """The claim that two balls (or a ball and exact numbers) are equal."""
    return Claim(ball(left), ball(right), what)


def at_most(left, right, what=""):
    """The claim that ``left <= right``."""
    return Claim(ball(left), ball(right), what, ordered=True)


def ball(x):
    return x if isinstance(x, Ball) else about(x, 0.0)


@dataclass(frozen=True)
class Violation:
    """Where a law was broken."""
    law: str
    what: str
    index: tuple
    left: float
    right: float
    bound: float


@dataclass(frozen=True)
class Law:
    """A statement about one op or several."""
    name: str
    ops: tuple[str, ...]
    id: str
    kills: tuple[str, ...]
    draws: bool
    claims: Callable

    @property
    def statement(self):
        """The first paragraph of the docstring."""
        return " ".join((inspect.getdoc(self.claims) or self.name).split("\n\n")[0].split())

    def judge(self, f, *args, **kwargs):
        """The violations of this law by ``f`` at these arguments; None where it does not apply."""
        found, claimed = [], False
        with np.errstate(all="ignore"):
            for claim in self.claims(f, *args, **kwargs):
                claimed = True
                if (worst := claim.worst()) is not None:
                    found.append(Violation(self.name, claim.what, *worst))
        return found if claimed else None


def law(*ops, id, kills=(), draws=False):
    """Declare the generator below a law of ``ops``; ``id`` is its line in the catalogue."""
    def declare(claims):
        name = claims.__name__.replace("_", " ")
        if name in LAWS and LAWS[name].claims.__module__ != claims.__module__:
            raise ValueError(f"two laws are called {name!r}")
        LAWS[name] = Law(name, ops, id, tuple(kills), draws, claims)
        return claims
    return declare


def laws_of(op):
    """The laws of the op of this name."""
    return [it for it in load().values() if op in it.ops and not it.draws]


def draw_laws_of(subject):
    """The laws of random matrices, or of estimators, of this name."""
    return [it for it in load().values() if subject in it.ops and it.draws]


def load():
    """Import every room of laws, and return `LAWS`."""
    for room in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{room.name}")
    return LAWS
