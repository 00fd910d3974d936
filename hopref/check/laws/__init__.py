"""Laws: what every implementation of an operation must satisfy, whoever wrote it.

A law is written once, in ``hopref/check/laws/<model>.py``; it serves the judgement of candidates
and the tests of hopref's own paths.  It is a generator of claims.  Its first argument, `f`, stands
for the implementation that is judged; the others are arguments, by name::

    @law("modern.update", "modern.energy", id="MH-4", kills=("energy without 1/beta",))
    def one_step_lowers_the_energy_by_an_exact_amount(f, xi, X, *, beta=1.0):
        '''E(xi) - E(xi') = |xi' - xi|^2 / 2 + KL(p || p') / beta.'''
        after = f.modern.update(xi, X, beta=beta)
        yield equal(f.modern.energy(xi, X, beta=beta) - f.modern.energy(after, X, beta=beta), ...)

* A law of several operations judges each of them: ``f.modern.energy`` is the candidate where the
  energy is judged, and the formula in long double elsewhere; ``f(...)`` is the candidate.
* Results of array operations are `Toleranced`: the candidate's numbers, and as radius the derived
  tolerance of an honest implementation in its arithmetic.  Arguments are too.  Operators, NumPy's
  functions and ``f.exact(op, ...)`` carry radii along; a claim holds where two values agree within
  their radii, so that no law picks a tolerance.
* `f` rounds its arguments to the candidate's number format, and adds to the radius what that
  rounding, and the radius of an argument, may change.  ``f.machine(x)`` rounds to that format.
* Arguments are the cases drawn from the operation's declaration or, with ``over=``, draws of
  `hopref.check.cases.draws`.  A law without arguments is called once.  A law that does not apply
  to its arguments yields nothing.
* Other functions (`theory`, `dynamics`, `parts`, random draws) are called with plain arrays and
  their results are passed on as they are.

``kills`` names the bugs of `hopref.check.bugs` that the law detects; a test verifies each.
"""
import functools
import importlib
import inspect
import pkgutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopref.check.cases.draws import Draw
from hopref.check.engine.errors import of_sizes
from hopref.check.tolerance.toleranced import (
    Toleranced,
    toleranced,
    value_and_uncertainty,
)

__all__ = ["LAWS", "Claim", "Law", "OutOfRange", "Violation", "toleranced", "at_most", "equal",
           "holds", "law", "laws_of", "load"]

LAWS: dict[str, "Law"] = {}
Claims = Callable[..., Iterator["Claim"]]
FAR_SHARPER = 256.0     # the side of a claim that is known has a radius smaller by this factor
signature = functools.cache(inspect.signature)


@dataclass(frozen=True)
class Claim:
    """``left`` and ``right`` are equal, or ``left`` is at most ``right``, up to their radii."""
    left: Toleranced
    right: Toleranced
    what: str
    ordered: bool = False

    def worst(self) -> dict[str, Any] | None:
        """The entry that breaks the claim most, as fields of a violation; None if it holds."""
        radius = self.left.radius + self.right.radius
        left, right, radius = np.broadcast_arrays(self.left.value, self.right.value, radius)
        with np.errstate(all="ignore"):
            gap = left - right if self.ordered else np.abs(left - right)
            same = (left == right) | np.isnan(left) & np.isnan(right)
        broken = ~(gap <= radius) & ~same & (radius < np.inf)
        if not np.any(broken):
            return None
        excess = np.where(broken, np.where(np.isfinite(gap), gap, np.inf), -1.0)
        scale = np.where(radius > 0, radius, np.finfo(float).tiny)
        at = np.unravel_index(int(np.argmax(np.asarray(excess / scale))), excess.shape)
        radii = [np.broadcast_to(a.radius, gap.shape)[at] for a in (self.left, self.right)]
        swapped = bool(FAR_SHARPER * radii[0] < radii[1])       # the left side is the known one
        got, want = (right, left) if swapped else (left, right)
        known = swapped or FAR_SHARPER * radii[1] < radii[0] or max(radii) == 0
        relation = ("<=", ">=")[swapped] if self.ordered else "=" if known else "sides"
        return {"index": tuple(map(int, at)), "got": float(got[at]), "want": float(want[at]),
                "bound": float(radius[at]), "relation": relation,
                **of_sizes(broken, got, want)}


def equal(left: Any, right: Any, what: str = "") -> Claim:
    """The claim that two values agree within their radii."""
    return Claim(exact(left), exact(right), what)


def at_most(left: Any, right: Any, what: str = "") -> Claim:
    """The claim that ``left <= right``, within their radii."""
    return Claim(exact(left), exact(right), what, ordered=True)


def holds(condition: Any, what: str = "") -> Claim:
    """The claim that a condition is true wherever rounding does not decide it."""
    value, uncertain = value_and_uncertainty(condition)
    return equal(1.0 * (value | uncertain), 1.0, what)


def exact(x: Any) -> Toleranced:
    """``x`` as a toleranced array; plain numbers have radius 0."""
    return x if isinstance(x, Toleranced) else toleranced(x, 0.0)


@dataclass(frozen=True)
class Violation:
    """Where a law was broken."""
    law: str
    what: str
    worst: dict[str, Any]       # fields of a finding


class OutOfRange(Exception):
    """A law asks for arguments that the candidate's number format does not hold."""


@dataclass(frozen=True)
class Law:
    """A statement about one operation or function, or several."""
    name: str
    subjects: tuple[str, ...]
    id: str
    kills: tuple[str, ...]
    over: Draw | None
    claims: Claims

    @property
    def statement(self) -> str:
        """The first paragraph of the docstring."""
        return " ".join((inspect.getdoc(self.claims) or self.name).split("\n\n")[0].split())

    @property
    def takes_arguments(self) -> bool:
        """Whether the law has arguments beside the implementation."""
        return len(signature(self.claims).parameters) > 1

    def takes(self, case: Any) -> bool:
        """Whether the law accepts the arguments of a case: it names every option."""
        try:
            signature(self.claims).bind(None, *case.args, **case.kwargs)
        except TypeError:
            return False
        return True

    def drawn(self, number: int, seed: int = 0) -> Iterator[dict[str, Any]]:
        """Arguments by name, ``number`` draws of them; one draw of a law without arguments."""
        if self.over is None:
            yield {}
            return
        names = zlib.crc32(self.name.encode())
        for i in range(number):
            yield self.over(np.random.default_rng([seed, names, i]))

    def judge(self, f: Any, *args: Any, **kwargs: Any) -> list[Violation] | None:
        """The violations of this law by ``f`` at these arguments; None where it does not apply."""
        found, claimed = [], False
        with np.errstate(all="ignore"):
            try:
                for claim in self.claims(f, *args, **kwargs):
                    claimed = True
                    if (worst := claim.worst()) is not None:
                        found.append(Violation(self.name, claim.what, worst))
            except OutOfRange:
                pass                    # the format does not hold further arguments
        return found if claimed else None


def law(*subjects: str, id: str, over: Draw | None = None,
        kills: Iterable[str] = ()) -> Callable[[Claims], Claims]:
    """Declare that the decorated generator is a law of these subjects.

    Parameters
    ----------
    subjects : names of operations or functions, such as "modern.update"
    id : catalogue ids of the equations that the law tests
    over : strategy that draws the arguments
    kills : names of the bugs that the law detects

    Returns
    -------
    decorator that registers the generator and returns it
    """
    def declare(claims: Claims) -> Claims:
        name = claims.__name__.replace("_", " ")
        if name in LAWS and LAWS[name].claims.__module__ != claims.__module__:
            raise ValueError(f"two laws are called {name!r}")
        LAWS[name] = Law(name, subjects, id, tuple(kills), over, claims)
        return claims
    return declare


def laws_of(subject: str) -> list[Law]:
    """The laws of the operation or function of this name."""
    return [it for it in load().values() if subject in it.subjects]


@functools.cache
def load() -> dict[str, Law]:
    """Import every module of laws, and return `LAWS`."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return LAWS
