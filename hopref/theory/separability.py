"""Separation of stored patterns: which patterns are retrievable, and the smallest useful beta.

``X`` (n, d) holds the patterns in rows, ``xi`` (n, d) a cue for each.  At pattern i, the softmax
weight of pattern j is determined by the score x_i . x_j.  If another score exceeds x_i . x_i,
pattern i is not retrievable at any beta; if x_i . x_i is the largest score, a sufficiently large
beta retrieves it.
"""
import math

from hopref.dispatch.domains import positive, share
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import op
from hopref.maps import dot

__all__ = ["separation", "cue_separation", "dominant_pattern", "smallest_beta",
           "required_separation"]

HALVINGS = 64           # bisections of a bracket of numbers below 2**11, down to the last bit
CLOSE = 2.0**-32        # far above the rounding of a solution in float64


@op("(n,d)->(n)", scratch="(n,n)")
def separation(X, /):
    r"""Separation of each pattern: its own score minus the largest score with another pattern.
    Source: Ramsauer et al. 2021, definition 2 (eq. 5) [MH-9].

    .. math:: \Delta_i = x_i^T x_i - \max_{j \neq i} x_i^T x_j

    Returns: (n,); negative where another pattern dominates x_i, 0 for a repeated pattern of largest
    score, infinite for a single pattern.

    Notes: by the Cauchy-Schwarz inequality it is negative only if the dominant pattern has the
    larger norm; among patterns of equal norm none is dominated.

    >>> from hopref import theory
    >>> theory.separation([[1.0, 0.0], [3.0, 4.0]])
    array([-2., 22.])
    """
    return cue_separation(X, X)


@op("(n,d),(n,d)->(n)", scratch="(n,n)")
def cue_separation(xi, X, /):
    r"""Separation of pattern i at cue i: its score minus the largest score of another pattern.
    Source: after Ramsauer et al. 2021, definition 2 (eq. 5), with a cue for the pattern [MH-9].

    .. math:: \Delta_i(\xi_i) = \xi_i^T x_i - \max_{j \neq i} \xi_i^T x_j

    Returns: (n,); infinite for a single pattern.

    >>> from hopref import theory
    >>> theory.cue_separation([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [3.0, 4.0]])
    array([-2.,  4.])
    """
    xp = namespace(X)
    scores, own = xi @ X.T, dot(xi, X)
    return own - xp.max(xp.where(own_entries(X), -math.inf, scores), axis=-1)


@op("(n,d),(n,d)->(n)", scratch="(n,n)")
def dominant_pattern(xi, X, /):
    r"""Index of the pattern with the largest score at cue i, the limit of one update at large beta.
    Source: the limit of large beta of Ramsauer et al. 2021, eq. (3) [MH-12].

    .. math:: \arg\max_j \xi_i^T x_j

    Returns: (n,) indices; of tied patterns the first.

    >>> from hopref import theory
    >>> theory.dominant_pattern([[1.0, 0.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 4.0]])
    array([1, 1])
    """
    return namespace(X).argmax(xi @ X.T, axis=-1)


@op("(n,d),(n,d)->(n)", tolerance=share, scratch="(n,n)")
def smallest_beta(xi, X, /, *, tolerance=0.01):
    r"""Smallest beta at which pattern i has the softmax weight 1 - ``tolerance`` at cue i.
    Source: the weights of Ramsauer et al. 2021, eq. (3), solved for beta [MH-9].

    .. math:: \beta_i = \min \{ \beta : \sum_{j \neq i} e^{-\beta (\xi_i^T x_i - \xi_i^T x_j)}
                         \leq \epsilon / (1 - \epsilon) \}

    Returns: (n,); infinite where the separation is not positive, 0 where the mean of the patterns
    is within the tolerance.

    Notes: in units of 1 / Delta_i the result lies between ln((1 - eps) / eps) and
    ln((n - 1) (1 - eps) / eps).  The sum decreases strictly with beta, and bisection determines the
    result to the last bit.  The result of one update at this beta is within
    tolerance * max_j |x_j - x_i| of x_i.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> float(theory.smallest_beta(X, X, tolerance=0.5)[0])
    0.0
    >>> round(float(theory.smallest_beta(X, X, tolerance=0.1)[0]), 12)      # ln(9) / 2
    1.098612288668
    """
    gaps = dot(xi, X)[:, None] - xi @ X.T
    return separating_beta(gaps, math.log1p(-tolerance) - math.log(tolerance))


def separating_beta(gaps, least):
    """The smallest beta at which exp(-beta gaps[i, j]), summed over j != i, is exp(-least)."""
    xp, own = namespace(gaps), own_entries(gaps)
    delta = xp.min(xp.where(own, math.inf, gaps), axis=-1)
    unit = xp.where((delta > 0) & (delta < math.inf), delta, 1.0)
    gaps = xp.minimum(gaps / unit[:, None], xp.finfo(gaps.dtype).max)
    most = math.log(max(gaps.shape[0] - 1, 1)) + least
    ends = max(least, 0.0) + 0.0 * unit, max(most, 0.0) + 0.0 * unit
    if gaps.dtype != xp.float64:                # long doubles, whose exponentials are slow
        rough = _solved(xp.astype(gaps, xp.float64), own, least, *ends)
        ends = [xp.clip(rough * (1 + sign * CLOSE), *ends) for sign in (-1, 1)]
    return xp.where(delta == math.inf, 0.0, xp.where(
        delta > 0, _solved(gaps, own, least, *ends) / unit, math.inf))


def _solved(gaps, own, least, low, high):
    """The number at which the sum falls to exp(-least), by bisection."""
    xp = namespace(gaps)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if on_host(low) and bool(xp.all((middle == low) | (middle == high))):
            break
        rest = xp.where(own, 0.0, xp.exp(-xp.astype(middle, gaps.dtype)[:, None] * gaps))
        enough = xp.sum(rest, axis=-1) <= math.exp(-least)
        low, high = xp.where(enough, low, middle), xp.where(enough, middle, high)
    return high


def _two_patterns(xp, given):
    if given["X"].shape[0] < 2 or not bool(xp.any(given["X"] != 0)):
        return f"X must hold two patterns or more, not all 0; got shape {given['X'].shape}"


@op("(n,d)->()", beta=positive, precondition=_two_patterns)
def required_separation(X, /, *, beta=1.0):
    r"""Separation that guarantees a fixed point in the neighbourhood of a pattern.
    Source: Ramsauer et al. 2021, lemma A5 and eq. (8): "well separated" [MH-9].

    .. math:: \frac{2}{\beta n} + \frac{1}{\beta} \ln(2 (n - 1) n \beta M^2),
              \qquad M = \max_i \|x_i\|

    Notes: the condition is sufficient and not necessary.

    >>> from hopref import theory
    >>> round(float(theory.required_separation([[1.0], [-1.0]], beta=2.0)), 12)   # 1/2 + ln(8)/2
    1.53972077084
    """
    xp, n = namespace(X), X.shape[0]
    square = xp.max(dot(X, X))
    return 2 / (beta * n) + (math.log(2 * (n - 1) * n * beta) + xp.log(square)) / beta


def own_entries(X):
    """Mask (n, n) of the scores of patterns with themselves."""
    return namespace(X).eye(X.shape[0], dtype=namespace(X).bool)
