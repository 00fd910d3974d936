"""Confidence intervals of proportions, and error bars of means."""
import math
from typing import NamedTuple

import numpy as np

__all__ = ["Interval", "proportion", "exact_proportion", "proportion_difference",
           "mean_interval", "CONFIDENCE", "SIGMAS"]

CONFIDENCE = 0.99       # of the interval of a proportion
SIGMAS = 4.0            # standard errors on each side of a mean: exceeded once in 16 000 times


class Interval(NamedTuple):
    """A measured value and the interval of the true value."""
    value: float
    low: float
    high: float

    def contains(self, value, allowance=0.0):
        """Whether the interval, widened by ``allowance`` on both sides, contains ``value``."""
        return bool(self.low - allowance <= value <= self.high + allowance)

    def plus_minus(self, value, spread=""):
        """The value and the distance to the upper end, with a format for each."""
        return f"{self.value:{value}} ± {self.high - self.value:{spread or value}}"

    def __str__(self):
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def proportion(hits, trials):
    """Wilson's interval of a proportion.

    >>> from hopref.experiments.intervals import proportion
    >>> print(proportion(5, 10))
    0.5 (0.184 to 0.816)
    """
    return _binomial_interval(hits, trials, "wilson")


def exact_proportion(hits, trials):
    """Clopper and Pearson's interval of a proportion, whose coverage is at least CONFIDENCE.

    >>> from hopref.experiments.intervals import exact_proportion
    >>> round(exact_proportion(0, 10).high, 6) == round(1 - 0.005**0.1, 6)
    True
    """
    return _binomial_interval(hits, trials, "exact")


def _binomial_interval(hits, trials, method):
    from scipy.stats import binomtest
    found = binomtest(int(hits), int(trials)).proportion_ci(CONFIDENCE, method)
    return Interval(float(hits / trials), float(found.low), float(found.high))


def proportion_difference(before, after):
    """Newcombe's interval of the difference of two proportions, from their Wilson intervals.

    >>> from hopref.experiments.intervals import proportion_difference, proportion
    >>> print(proportion_difference(proportion(5, 10), proportion(5, 10)))
    0 (-0.447 to 0.447)
    """
    rise = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Interval(rise, rise - down, rise + up)


def mean_interval(values):
    """The mean of independent values, with four standard errors on each side.

    >>> from hopref.experiments.intervals import mean_interval
    >>> print(mean_interval([1.0, 3.0]))
    2 (-2 to 6)
    """
    values = np.asarray(values, dtype=np.float64)
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(mean), float(mean - SIGMAS * error), float(mean + SIGMAS * error))
