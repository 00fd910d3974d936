"""Retrieval with an error in every operation, compared with the theorem on its tolerance.

    python -m tests.check.perturbed [COUNT]

evaluates softmax retrieval so many times, and prints the largest error in units of the tolerance.
Each elementary operation has an error of at most its admissible size: random ones, or those with
the signs that move the result farthest.  The theorem is that of the page on proofs
(docs/proofs.md): the tolerance is `hopref.check.tolerance.derivation.retrieved` in its worst case,
for arithmetic with the unit roundoff `U`, which is far larger than that of the numbers here.
"""
import sys

import numpy as np

from hopref.check.tolerance.arithmetic import Profile
from hopref.check.tolerance.derivation import retrieved, score_error

__all__ = ["FAMILIES", "PROFILE", "U", "evaluations", "largest_ratio"]

U = 2.0**-24
PROFILE = Profile("perturbed", U, eta=2.0**-126, worst_case=True)
EXPONENTIAL = 2.5                       # roundings in an exponential
SHAPES = [(2, 1), (5, 12), (20, 4), (60, 2)]        # patterns, components
BLOCK = 250                             # evaluations at a time


# -- arguments: states (B, d), patterns (B, n, d), values (B, n) ----------------------------------

def gauss(rng, n, d):
    return rng.standard_normal((BLOCK, d)), rng.standard_normal((BLOCK, n, d)), \
        rng.standard_normal((BLOCK, n))


def one_component(rng, n, d):
    """The first product has the error of every addition; values of both signs."""
    xi, X, V = gauss(rng, n, d)
    shrink = np.where(np.arange(d) == 0, 30.0, 1e-6)
    return np.abs(xi) * shrink, 3 + 0 * X + 0.1 * X * shrink / 30, np.sign(V)


def one_value(rng, n, d):
    """The first term of the sums has the error of every addition; equal values."""
    xi, X, V = gauss(rng, n, d)
    X = 1e-3 * X
    X[:, 0, :] = np.sign(xi) * 30 / np.sum(np.abs(xi), axis=-1, keepdims=True)
    return xi, X, 1 + 1e-3 * V


def far_below(rng, n, d):
    """A value that is larger by as much as its weight is smaller."""
    xi, X, V = one_value(rng, n, d)
    V[:, 1:] *= np.exp(30.0)
    return xi, X, V


FAMILIES = [gauss, one_component, one_value, far_below]


# -- evaluation ------------------------------------------------------------------------------------

def perturbed(xi, X, V, y, rng, normalised, worst):
    """The retrieved value, by sums that are divided or by normalised weights."""
    up = rng.choice([-1.0, 1.0], (len(xi), 1))

    def rounded(value, toward, roundings=1.0):
        """The value with an error, which increases it where ``toward`` is positive."""
        error = toward * np.sign(value) if worst else rng.uniform(-1, 1, np.shape(value))
        return value * (1 + roundings * U * error)

    def total(terms, toward):
        found = terms[:, :1]
        for i in range(1, terms.shape[1]):
            found = rounded(found + terms[:, i:i + 1], toward)
        return found

    outward = up * np.sign(V - y)
    scores = rounded(xi[:, None, 0] * X[:, :, 0], outward)
    for l in range(1, xi.shape[1]):
        scores = rounded(scores + rounded(xi[:, None, l] * X[:, :, l], outward), outward)
    scores = rounded(scores * 1.0, outward)                         # by beta
    below = rounded(scores - np.max(scores, axis=1, keepdims=True), outward)
    powers = rounded(np.exp(below), outward, EXPONENTIAL)
    whole = total(powers, -up * np.sign(y))
    if normalised:
        weights = rounded(powers / whole, up * np.sign(V))
        return total(rounded(weights * V, up), up)
    return rounded(total(rounded(powers * V, up), up) / whole, up)


def evaluations(count, seed=0):
    """Blocks of states, patterns, values and errors: (scores, sizes, V, y, d, found)."""
    rng = np.random.default_rng(seed)
    kinds = [(family, shape, normalised, worst) for family in FAMILIES for shape in SHAPES
             for normalised in (False, True) for worst in (True, False)]
    for block in range(-(-count // BLOCK)):
        family, (n, d), normalised, worst = kinds[block % len(kinds)]
        xi, X, V = family(rng, n, d)
        wide = np.longdouble
        scores = np.sum(xi[:, None, :].astype(wide) * X, axis=-1)
        p = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        y = np.sum(p * V, axis=-1, keepdims=True) / np.sum(p, axis=-1, keepdims=True)
        found = perturbed(xi, X, V, y.astype(float), rng, normalised, worst)
        sizes = np.sum(np.abs(xi[:, None, :] * X), axis=-1).astype(wide)
        yield (scores[:, None, :], sizes[:, None, :], V[:, :, None], y[:, :, None], d), found


def largest_ratio(count, profile=PROFILE, tolerance=retrieved, seed=0):
    """The largest error in units of the tolerance, and the number of evaluations."""
    most, seen = 0.0, 0
    for given, found in evaluations(count, seed):
        assert satisfied(*given[:2], given[-1])
        allowed = tolerance(*given, profile)[:, 0, :]
        off = np.abs(found - given[3][:, 0, :]).astype(float)
        most, seen = max(most, float(np.max(off / allowed))), seen + len(off)
    return most, seen


def satisfied(scores, sizes, d):
    """Whether the conditions of the theorem hold."""
    growth, of_scores = PROFILE.g(scores.shape[-1]), PROFILE.g(d + 2) * sizes
    tau = score_error(scores, sizes, d, PROFILE)
    products = growth * (4 * growth + 3 * np.expm1(2 * np.max(tau)))
    return np.max(of_scores) <= 0.5 and products <= U


def main(count=100_000):
    most, seen = largest_ratio(count)
    print(f"{seen} evaluations: the largest error is {most:.3f} of its tolerance")
    return most > 1


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
