"""Diagnosis of patterns that cannot be retrieved, in numbers and in sentences.

The diagnosis uses the bounds and counts of `hopref.theory`; no network is run.
"""
from dataclasses import asdict, dataclass

import numpy as np

from hopref.data.prepare import NORMALISATIONS, normalise
from hopref.errors import DomainError, ShapeError
from hopref.theory.capacity import capacity_without_errors
from hopref.theory.networks import unstable_sites
from hopref.theory.separability import (
    cue_separation,
    dominant_pattern,
    separation,
    smallest_beta,
)

__all__ = ["Diagnosis", "diagnose"]

RULES = ("modern", "classical")


@dataclass(frozen=True)
class Diagnosis:
    """Result of `diagnose`; tuples other than ``findings`` and ``remedies`` are per pattern."""
    rule: str
    names: tuple
    d: int
    norms: tuple
    lost: tuple                 # True where the rule cannot retrieve the pattern
    findings: tuple             # sentences, the most severe first
    separation: tuple = ()      # modern: own score minus the largest other score
    dominant: tuple = ()        # modern: index of the pattern with the largest score
    smallest_beta: tuple = ()   # modern: infinite where the pattern is lost
    tolerance: float = 0.0
    beta: float | None = None   # modern: smallest beta for all retrievable patterns; None if none
    remedies: tuple = ()        # modern: (normalisation, patterns lost, smallest beta for the rest)
    unstable: tuple = ()        # classical: components that one synchronous sign update flips
    zero_diagonal: bool = False
    capacity_left: float | None = None  # classical: number of further random patterns

    @property
    def retrievable(self):
        """Whether the rule can retrieve every pattern."""
        return not any(self.lost)

    def as_dict(self):
        """The fields as lists and numbers for JSON; infinities become None."""
        return {"retrievable": self.retrievable, **_plain(asdict(self))}


def diagnose(X, /, *, cues=None, rule="modern", tolerance=0.01, names=None, zero_diagonal=False):
    """Determine which of the patterns ``rule`` cannot retrieve, and why.

    A pattern is retrieved by "modern" if one update from its cue gives it a softmax weight of at
    least 1 - ``tolerance``, and by "classical" if it is a fixed point of the Hebbian sign rule.

    Parameters
    ----------
    X : (n, d) patterns, one a row; -1 or +1 for "classical"
    cues : (n, d) initial states, one for each pattern; the patterns themselves by default
    rule : "modern" or "classical"
    tolerance : softmax weight, between 0 and 1, that the other patterns may receive; "modern" only
    names : n names of the patterns for the findings; their indices by default
    zero_diagonal : whether the diagonal of the weights is 0; "classical" only

    Returns
    -------
    Diagnosis

    >>> from hopref import theory
    >>> found = theory.diagnose([[1.0, 0.0], [3.0, 4.0]], names=("faint", "bright"))
    >>> print(found.findings[0])
    faint is lost at every beta: bright scores 3 where faint itself scores 1.
    """
    if rule not in RULES:
        raise DomainError(f"hopref.theory.diagnose: rule must be one of "
                          f"{', '.join(map(repr, RULES))}; got rule={rule!r}.")
    separation(X)                               # validates X
    X = np.asarray(X, dtype=np.float64)
    names = tuple(names) if names is not None else tuple(str(i) for i in range(len(X)))
    if len(names) != len(X):
        raise ShapeError(f"hopref.theory.diagnose: names must be one for each of the {len(X)} "
                         f"patterns; got {len(names)}.")
    if rule == "classical":
        return _classical(X, names, zero_diagonal)
    return _modern(X, cues, tolerance, names)


# --- modern: separation, norm domination, the smallest useful beta -------------------------------

def _modern(X, cues, tolerance, names):
    start = X if cues is None else np.asarray(cues, dtype=np.float64)
    separation, betas = _separation_and_beta(start, X, tolerance)
    lost, dominant = np.isinf(betas), dominant_pattern(start, X)
    norms, scores = np.sqrt((X * X).sum(-1)), start @ X.T
    remedies = tuple(_remedy(how, X, cues, tolerance) for how in NORMALISATIONS if how != "polar")
    findings = [*_losses(names, scores, separation, lost, dominant, cues is not None),
                *_domination(names, norms, scores, lost, dominant),
                *_temperature(names, betas, tolerance),
                *_advice(remedies, lost)]
    return Diagnosis(
        "modern", names, X.shape[1], tuple(norms.tolist()), tuple(lost.tolist()), tuple(findings),
        separation=tuple(separation.tolist()), dominant=tuple(dominant.tolist()),
        smallest_beta=tuple(betas.tolist()), tolerance=tolerance,
        beta=_largest_finite(betas), remedies=remedies)


def _separation_and_beta(start, X, tolerance):
    """Separation and smallest beta of each pattern; ties within rounding give 0 and infinity."""
    separation = cue_separation(start, X)
    betas = smallest_beta(start, X, tolerance=tolerance)
    size = np.sqrt((start * start).sum(-1) * (X * X).sum(-1).max())
    tied = np.abs(separation) <= 2 * X.shape[1] * np.finfo(float).eps * size    # two dot products
    return np.where(tied, 0.0, separation), np.where(tied, np.inf, betas)


def _largest_finite(betas):
    kept = betas[np.isfinite(betas)]
    return float(kept.max()) if len(kept) else None


def _remedy(how, X, cues, tolerance):
    """(normalisation, number of patterns lost under it, smallest beta for the others)."""
    patterns = normalise(X, how)
    start = patterns if cues is None else normalise(cues, how)
    _, betas = _separation_and_beta(start, patterns, tolerance)
    return how, int(np.isinf(betas).sum()), _largest_finite(betas)


def _losses(names, scores, separation, lost, dominant, from_cues):
    where = " from its cue" if from_cues else ""
    for i in np.argsort(separation, kind="stable")[:lost.sum()]:
        own, rival = scores[i, i], dominant[i]
        if separation[i] < 0:
            yield (f"{names[i]} is lost{where} at every beta: {names[rival]} scores "
                   f"{scores[i, rival]:.4g} where {names[i]} itself scores {own:.4g}.")
        else:
            rivals = np.delete(np.arange(len(names)), i)
            rival = rivals[scores[i, rivals].argmax()]
            yield (f"{names[i]} is lost{where} at every beta: {names[rival]} ties with it at "
                   f"{own:.4g}; the softmax shares its weight between them.")


def _domination(names, norms, scores, lost, dominant):
    """Findings on domination by the norm alone, and on the most frequent dominant pattern."""
    dominated = np.flatnonzero(lost & (dominant != np.arange(len(norms))))
    if not len(dominated):
        return
    dominating, counts = np.unique(dominant[dominated], return_counts=True)
    j, n = dominating[counts.argmax()], counts.max()
    quotient = norms[dominant[dominated]] / np.where(norms[dominated] == 0, 1, norms[dominated])
    own, rival = scores[dominated, dominated], scores[dominated, dominant[dominated]]
    by_norm = (own * quotient > rival).sum()
    if by_norm:
        yield (f"Norm domination: {by_norm} of the {counted(len(dominated), 'dominated pattern')} "
               f"would win if all norms were equal; {names[j]} (norm {norms[j]:.4g}) dominates "
               f"{n}, norms range from {norms.min():.4g} to {norms.max():.4g}.")
    else:
        yield (f"Norms are not the cause: each cue is more similar to the dominant pattern than "
               f"to its own; {names[j]} dominates {n}.")


def _temperature(names, betas, tolerance):
    kept = np.flatnonzero(np.isfinite(betas))
    if not len(kept):
        yield "No beta is useful: every pattern is lost."
        return
    hardest = kept[betas[kept].argmax()]
    others = "the other pattern" if len(kept) == 1 else f"the other {len(kept)} patterns"
    held = "every pattern" if len(kept) == len(names) else others
    yield (f"Smallest useful beta: {betas[hardest]:.4g} gives {held} at least {1 - tolerance:.4g} "
           f"of the softmax after one update; {names[hardest]} determines it.")


def _advice(remedies, lost):
    if not lost.any():
        return
    least = min(left for _, left, _ in remedies)
    if least >= lost.sum():
        yield ("No normalisation tried here makes more patterns retrievable: the patterns or cues "
               "are too similar.")
        return
    best = [f"{how} (beta >= {beta:.4g})" for how, left, beta in remedies
            if left == least and beta is not None]
    rest = "all of them" if least == 0 else f"all but {least}"
    yield f"Normalising each pattern would make {rest} retrievable: {', '.join(best)}."


# --- classical: fixed points of the Hebbian sign rule --------------------------------------------

def _classical(X, names, zero_diagonal):
    unstable = unstable_sites(X, zero_diagonal=zero_diagonal)
    N, d = X.shape
    findings = [f"{names[i]} is no fixed point: crosstalk flips {unstable[i]} of its {d} "
                "components at once." for i in np.argsort(-unstable, kind="stable") if unstable[i]]
    capacity = float(capacity_without_errors(d)) if d > 1 else 0.0
    left = _capacity_left(capacity, N)
    if findings:
        overlaps = np.abs(X @ X.T) / d - np.eye(N)
        i, j = np.unravel_index(overlaps.argmax(), overlaps.shape)
        findings.append(
            f"Load: N/d = {N / d:.4g}, where 0.138 is the limit for random patterns ({left}); "
            f"overlaps between the patterns reach {overlaps.max():.4g} ({names[i]}, {names[j]}), "
            f"where random ones have about {1 / np.sqrt(d):.4g}.")
    else:
        findings.append(f"Every pattern is a fixed point of the sign rule; load N/d = "
                        f"{N / d:.4g}; {left}.")
    return Diagnosis("classical", names, d, (float(np.sqrt(d)),) * N,
                     tuple((unstable > 0).tolist()), tuple(findings),
                     unstable=tuple(unstable.tolist()), zero_diagonal=zero_diagonal,
                     capacity_left=capacity - N)


def _capacity_left(capacity, N):
    """Number of further random patterns that can be stored without errors, in words."""
    if capacity < N:
        return f"no capacity left: {counted(N, 'pattern')} where at most {int(capacity)} random " \
               f"{'one is' if int(capacity) == 1 else 'ones are'} stored without errors"
    return f"{capacity:.4g} random patterns can be stored without errors, {capacity - N:.4g} " \
        "more than these"


def counted(n, noun):
    """``1 pattern``, ``2 patterns``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _plain(value):
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
