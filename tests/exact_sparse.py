"""The sparse maps of machine numbers, exactly: rationals where tau is one, else proved brackets.

Nothing is shared with `hopref.maps`.  Scores, beta, alpha and gamma are taken as the numbers that
they are; no product of theirs is rounded.  Equal scores are one level, with a count.
"""
from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from flint import arb, ctx


class Exact(NamedTuple):
    """p = near + rest for each entry; ``rest`` is what float64 lacks."""
    near: np.ndarray
    rest: np.ndarray

    def ulps(self, got):
        """How far ``got`` is, at most, in ulp of the scale: of the largest exact entry."""
        return float(np.max(np.abs((got - self.near) - self.rest)) / self.near.max() / 2.0**-52)

    def supports(self, got):
        """Whether the same entries are positive, of those that float64 can hold."""
        return bool(np.all((got > 0) == (self.near > 0)))


def spread(z, p):
    """Answers of the sorted distinct scores, given to every entry."""
    _, place = np.unique(z, return_inverse=True)
    near = np.array([float(v) for v in p])
    rest = np.array([float(v - exactly(type(v), w)) for v, w in zip(p, near, strict=True)])
    return Exact(near[place], rest[place])


def exactly(kind, x):
    return arb(float(x)) if kind is arb else Fraction(float(x))


# -- rationals ----------------------------------------------------------------------------------

def k_subsets(z, k, beta=1.0):
    """clip(beta z - tau, 0, 1) of sum k; all numbers are multiples of one power of two."""
    levels = [Fraction(float(v)) * Fraction(float(beta)) for v in np.unique(z)]
    unit = max(v.denominator for v in levels)
    levels = [int(v * unit) for v in levels]
    many = np.unique(z, return_counts=True)[1].tolist()
    below, sums = [0, *accumulate(many)], [0, *accumulate(map(int.__mul__, levels, many))]

    def excess(tau):
        """(sum of p - k) unit."""
        some, ones = bisect_right(levels, tau), bisect_right(levels, tau + unit)
        between = sums[ones] - sums[some] - (below[ones] - below[some]) * tau
        return between + (below[-1] - below[ones] - k) * unit
    places = sorted({*levels, *(v - unit for v in levels)})
    edge = bisect_left(places, True, key=lambda tau: excess(tau) < 0) - 1
    some, ones = bisect_right(levels, places[edge]), bisect_right(levels, places[edge] + unit)
    rest = excess(places[edge])
    tau = places[edge] + (Fraction(rest, below[ones] - below[some]) if rest else 0)
    return spread(z, [min(max((v - tau) / unit, Fraction(0)), Fraction(1)) for v in levels])


def sparsemax(z, beta=1.0):
    return k_subsets(z, 1, beta)


# -- proved brackets ----------------------------------------------------------------------------

def entmax(z, alpha, beta=1.0, bits=400):
    """[(alpha - 1) beta z - tau]_+^q of sum 1, q = 1 / (alpha - 1)."""
    ctx.prec = bits
    a = arb(float(alpha)) - 1
    height, sums_to = powers(z, a * arb(float(beta)), 1 / a)
    return spread(z, [v / sums_to for v in height])


def normmax(z, gamma=2.0, beta=1.0, bits=400):
    """[beta z - tau]_+ of norm 1 in q = gamma / (gamma - 1), to the power q - 1, over the sum."""
    ctx.prec = bits
    q = arb(float(gamma)) / (arb(float(gamma)) - 1)
    many = np.unique(z, return_counts=True)[1].tolist()
    p = [v ** (1 - 1 / q) for v in powers(z, arb(float(beta)), q)[0]]
    total = sum((v * m for v, m in zip(p, many, strict=True)), arb(0))
    return spread(z, [v / total for v in p])


def powers(z, c, q):
    """[c z_i - tau]_+^q of sum 1 for the distinct z_i, rising, and that sum, an interval around 1.
    """
    levels, many = np.unique(z, return_counts=True)
    edge = Edge([c * arb(float(v)) for v in levels], many.tolist(), q)
    low, high = -1, len(levels) - 1             # is all above `low` 1 or more?  not above `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if edge.leaves_a_remainder(middle) else (middle, high)
    h = edge.height(high)
    p = [arb(0)] * high + [(h + x) ** q for x in edge.above(high)]
    return p, sum((v * m for v, m in zip(p, edge.many, strict=True)), arb(0))


class Edge(NamedTuple):
    """Rising heights up to a constant, how many there are of each, and the power of their sum."""
    x: list
    many: list
    q: arb

    def above(self, i):
        return [v - self.x[i] for v in self.x[i:]]

    def total(self, h, gaps, many, power):
        return sum(((h + x) ** power * m for x, m in zip(gaps, many, strict=True)), arb(0))

    def leaves_a_remainder(self, i):
        """Whether the levels above i, measured from i, sum to less than 1: i is in the support."""
        gaps, many, q = self.above(i)[1:], self.many[i + 1:], float(self.q)
        with np.errstate(over="ignore"):
            rough = float(np.dot(np.array([float(x) for x in gaps]) ** q, many)) - 1
        if abs(rough) > (len(gaps) + 8 * q + 8) * 2.0**-50:     # more than float64 can err
            return rough < 0
        rest = 1 - self.total(arb(0), gaps, many, self.q)
        assert rest > 0 or rest < 0 or rest == 0, "undecided: more bits"
        return bool(rest > 0)

    def about(self, gaps, many, high):
        """The height in float64, by halving."""
        gaps, low = np.array([float(x) for x in gaps]), 0.0
        for _ in range(60):
            middle = (low + high) / 2
            over = np.dot((middle + gaps) ** float(self.q), many) > 1
            low, high = (low, middle) if over else (middle, high)
        return high

    def height(self, i):
        """The height h of level i, to 2^-160: both ends of the interval are proved to be such.

        Newton in h for q >= 1, in h^q for q < 1: there the sum is convex, so from above it falls.
        """
        gaps, many, q, one = self.above(i), self.many[i:], self.q, arb(1)
        most = ((one - self.total(arb(0), gaps[1:], many[1:], q)) / many[0]) ** (1 / q)
        h = arb(self.about(gaps, many, float(most)))
        for _ in range(400):
            excess = self.total(h, gaps, many, q) - 1
            slope = q * self.total(h, gaps, many, q - 1)
            if q < 1:
                v = h ** q
                new = (v - excess * q * h ** (q - 1) / slope) ** (1 / q)
            else:
                new = h - excess / slope
            done, h = abs(new - h) < h * 2.0**-170, new.mid()
            if done:
                break
        low, high = (h * (1 - arb(2) ** -160)).mid(), (h * (1 + arb(2) ** -160)).mid()
        assert self.total(low, gaps, many, q) < 1 < self.total(high, gaps, many, q)
        return low.union(high)
