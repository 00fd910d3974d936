"""How sure a measurement is: shares of independent trials, and means, with their intervals."""
import math
from typing import NamedTuple

import numpy as np

__all__ = ["Interval", "share", "exact_share", "difference", "average", "CONFIDENCE", "SIGMAS"]

CONFIDENCE = 0.99       # of the interval of a share
SIGMAS = 4.0            # standard errors left and right of a mean: one in 16 000 lies beyond


class Interval(NamedTuple):
    """What was measured, and between what the true value lies."""
    value: float
    low: float
    high: float

    def holds(self, value, allowance=0.0):
        """Whether ``value`` may be the true one, were it ``allowance`` larger or smaller."""
        return bool(self.low - allowance <= value <= self.high + allowance)

    def around(self, value, spread=""):
        """The value and the distance of the upper end, each in its format."""
        return f"{self.value:{value}} ± {self.high - self.value:{spread or value}}"

    def __str__(self):
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def share(hits, trials):
    """Wilson's interval for the chance of a hit.

    >>> from hopref.experiments.intervals import share
    >>> print(share(5, 10))
    0.5 (0.184 to 0.816)
    """
    return _of_trials(hits, trials, "wilson")


def exact_share(hits, trials):
    """Clopper and Pearson's interval: never too short, not even where nothing was hit.

    >>> from hopref.experiments.intervals import exact_share
    >>> round(exact_share(0, 10).high, 6) == round(1 - 0.005**0.1, 6)
    True
    """
    return _of_trials(hits, trials, "exact")


def _of_trials(hits, trials, method):
    from scipy.stats import binomtest
    found = binomtest(int(hits), int(trials)).proportion_ci(CONFIDENCE, method)
    return Interval(float(hits / trials), float(found.low), float(found.high))


def difference(before, after):
    """Newcombe's interval for how much larger the share ``after`` is, from both Wilson intervals.

    >>> from hopref.experiments.intervals import difference, share
    >>> print(difference(share(5, 10), share(5, 10)))
    0 (-0.447 to 0.447)
    """
    rise = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Interval(rise, rise - down, rise + up)


def average(values):
    """The mean of independent values, four standard errors left and right.

    >>> from hopref.experiments.intervals import average
    >>> print(average([1.0, 3.0]))
    2 (-2 to 6)
    """
    values = np.asarray(values, dtype=np.float64)
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(mean), float(mean - SIGMAS * error), float(mean + SIGMAS * error))
