"""Capacities of associative memories, each with its unit and the status of its source.

Units: *patterns*; *patterns per neuron* (the load N/d); *bits per synapse* (information in the
patterns over the number of weights).  These units are not comparable; `bits_per_synapse` converts
the second into the third.  "Auto" is auto-association, "hetero" the association of pairs.

Each docstring ends with a status: *read* (in the paper or in its abstract), *secondary* (quoted by
other authors), *derived* (proved, and verified by the tests), or *not verified*.
"""
import math

import numpy as np

from hopref.dispatch.domains import Scalar, choice, count, positive, share
from hopref.dispatch.operation import op
from hopref.errors import DomainError, naming

__all__ = ["spin_glass_load", "capacity_with_errors", "bit_error", "capacity_without_errors",
           "capacity_storkey", "capacity_projection", "information_capacity", "bits_per_synapse",
           "capacity_sparse", "willshaw_load"]

several = Scalar("an integer from 2 to 2**53", lambda v: 2 <= v <= 2**53, int)
wrong = Scalar("a number >= 0 and below 1/2", lambda v: 0 <= v < 0.5)
which = choice(most=0, all=1)                   # exponent of n in the denominator
LEAST, MOST = 1.0, 2.0                          # interval with the y of largest load
HALVINGS = 60                                   # bisections, to the last bit


# --- classical: Hebbian weights, random polar patterns, auto-association -------------------------

@op("->()", y=positive)
def spin_glass_load(y, /):
    r"""Patterns per neuron at which the overlap after recall is erf(y), with errors erfc(y)/2.

    Source: Amit, Gutfreund & Sompolinsky 1985, replica symmetric, no noise [CAP-1].

    .. math:: \alpha(y) = \tfrac12 \Big(\frac{\mathrm{erf}(y)}{y}
        - \frac{2}{\sqrt\pi} e^{-y^2}\Big)^2 = \tfrac12 \Big(\frac{P(3/2, y^2)}{y}\Big)^2

    P is the regularised incomplete gamma function, which avoids cancellation for small y.

    Parameters
    ----------
    y : argument of the error functions

    Status: derived, from the mean-field equations m = erf(y), y = m / sqrt(2 alpha r).

    >>> from hopref import theory
    >>> round(float(theory.spin_glass_load(1.51122)), 6)
    0.137906
    """
    from scipy.special import gammainc
    return (gammainc(1.5, y * y) / y) ** 2 / 2


@op("->(),(),()")
def capacity_with_errors():
    r"""Largest load at which random patterns are recalled with few errors.

    Source: Amit, Gutfreund & Sompolinsky 1985, replica symmetric, no noise [CAP-1].

    .. math:: \alpha_c = \max_y \alpha(y), \quad m = \mathrm{erf}(y),
        \quad \text{errors} = \tfrac12 \mathrm{erfc}(y)

    Returns
    -------
    load : float, patterns per neuron
    overlap : float, the overlap with the pattern
    errors : float, the fraction of wrong components

    Notes: The values are for d -> infinity; small networks have no sharp limit.  With one step of
    replica symmetry breaking the load is 0.138186.

    Status: derived (the maximum); the 0.138 is read.

    >>> from hopref import theory
    >>> [round(float(v), 6) for v in theory.capacity_with_errors()]
    [0.137906, 0.967417, 0.016291]
    """
    low, high = LEAST, MOST
    for _ in range(HALVINGS):
        y = (low + high) / 2
        rising = 2 / math.sqrt(math.pi) * math.exp(-y * y) * (y + 2 * y**3) > math.erf(y)
        low, high = (y, high) if rising else (low, y)
    return spin_glass_load(low), np.float64(math.erf(low)), np.float64(math.erfc(low) / 2)


@op("->()", load=positive, errors=wrong)
def bit_error(load, /, *, errors=0.0):
    r"""Fraction of wrong components after one step from a cue with a fraction ``errors`` of them.

    Source: signal against crosstalk, zero diagonal [CAP-1, CB-9].

    .. math:: Q\Big(\frac{1 - 2\rho}{\sqrt\alpha}\Big), \quad \alpha = N/d,
        \quad Q(x) = \tfrac12 \mathrm{erfc}(x/\sqrt2)

    Notes: The value is for d -> infinity.  For finite N and d, at load (N - 1) / (d - 1), its error
    is at most 0.48 / sqrt((N - 1)(d - 1)), by the Berry-Esseen theorem for the (N - 1)(d - 1)
    independent signs of the crosstalk.

    Status: derived.

    >>> from hopref import theory
    >>> round(float(theory.bit_error(0.138)), 5)
    0.00355
    """
    return np.float64(math.erfc((1 - 2 * errors) / math.sqrt(2 * load)) / 2)


@op("->()", d=several, n=several, errors=wrong, patterns=which)
def capacity_without_errors(d, /, *, n=2, errors=0.0, patterns="most"):
    r"""Number of patterns that a dense memory of degree n recalls in one step without error.

    Source: McEliece, Posner, Rodemich & Venkatesh 1987 (n = 2, the Hebbian network); Krotov &
    Hopfield 2016 and Demircigil et al. 2017, through Ramsauer et al. 2021, A.3 (n > 2)
    [CAP-2, CAP-7].

    .. math:: N = \frac{(1 - 2\rho)^{2(n-1)}\, d^{\,n-1}}{2\, (2n - 3)!!\, \ln d}
        \text{ (most)}, \qquad \frac{(1 - 2\rho)^{2(n-1)}\, d^{\,n-1}}{2n\, (2n - 3)!!\, \ln d}
        \text{ (all)}

    Parameters
    ----------
    d : number of components
    n : degree of the interaction F(z) = z^n; for n = 2, N is d/(2 ln d) or d/(4 ln d)
    errors : rho, the fraction of wrong components of the cue
    patterns : whether "most" patterns, or "all" of them, are recalled as d -> infinity

    Returns
    -------
    float, the number of patterns, not rounded; infinite beyond the largest float

    Status: read for n = 2 and for "most"; derived for "all" with n > 2 and for errors > 0.

    >>> from hopref import theory
    >>> [round(float(theory.capacity_without_errors(4096, patterns=p)), 1) for p in ("most", "all")]
    [246.2, 123.1]
    """
    odd = (n - 1) * math.log(2) + math.lgamma(n - 0.5) - math.log(math.pi) / 2      # ln (2n-3)!!
    size = (n - 1) * (math.log(d) + 2 * math.log1p(-2 * errors))
    return np.exp(size - odd) / (2 * n**patterns * math.log(d))


@op("->()", d=several)
def capacity_storkey(d, /):
    r"""Capacity of Storkey's rule, as published.  Source: Storkey & Valabregue 1999 [CAP-3].

    .. math:: N = d / \sqrt{2 \ln d}

    Status: not verified; secondary sources agree, and one gives 0.42 d by another criterion.

    >>> from hopref import theory
    >>> round(float(theory.capacity_storkey(4096)))
    1004
    """
    return np.float64(d / math.sqrt(2 * math.log(d)))


@op("->()", d=several)
def capacity_projection(d, /):
    r"""Number of patterns that the projection rule stores.  Source: Personnaz et al. [CAP-4].

    .. math:: N = d

    Notes: The patterns must be linearly independent; each is then a fixed point.  For N = d the
    weights are the identity, so that every state is a fixed point and no error is corrected.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.capacity_projection(64))
    64.0
    """
    return np.float64(d)


# --- sparse patterns: bits per synapse -----------------------------------------------------------

@op("->()", weights=choice(additive=1 / (2 * math.log(2)), clipped=math.log(2)),
    recall=choice(hetero=1.0, auto=0.25))
def information_capacity(*, weights="additive", recall="hetero"):
    r"""Bits per synapse of sparse patterns that are recalled in one step with vanishing errors.

    Source: Palm; Schwenker, Sommer & Palm 1996; Willshaw et al. 1969 for clipped weights [CAP-5].

    .. math:: \frac{1}{2 \ln 2} = 0.72 \text{ (additive)}, \quad \ln 2 = 0.69 \text{ (clipped)},
        \quad \text{a quarter of it in auto-association}

    Parameters
    ----------
    weights : "additive" (Hebbian or covariance), or "clipped" to 0 and 1
    recall : "hetero" for pairs, "auto" for patterns from a part of themselves

    Notes: The values are for d -> infinity with about ln d active units.

    Status: read (abstracts); the hetero values derived.

    >>> from hopref import theory
    >>> [round(float(theory.information_capacity(recall=r)), 3) for r in ("hetero", "auto")]
    [0.721, 0.18]
    """
    return np.float64(weights * recall)


@op("->()", load=positive, activity=share)
def bits_per_synapse(load, /, *, activity=0.5):
    r"""Information in ``load`` patterns per neuron, over d^2 synapses.

    Source: Palm; the entropy of components that are active with probability p [CAP-5].

    .. math:: -\alpha \, (p \log_2 p + (1 - p) \log_2 (1 - p))

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.bits_per_synapse(0.138))          # polar patterns: one bit per component
    0.138
    """
    p, q = activity, 1 - activity
    return np.float64(-load * (p * math.log2(p) + q * math.log1p(-p) / math.log(2)))


@op("->()", p=share)
def capacity_sparse(p, /):
    r"""Patterns per neuron of the covariance rule, for a fraction p -> 0 of active components.

    Source: Tsodyks & Feigel'man 1988; blog, with a factor 2 too much [CAP-6].

    .. math:: \alpha = \frac{1}{2 p \, |\ln p|}

    Parameters
    ----------
    p : fraction of active components

    Notes: The convergence to the limit is very slow: with 5 % of errors the capacity is about 0.26
    of it at p = 0.1, and 0.45 of it at p = 0.001.

    Status: derived; the prefactor is not verified in the paper itself.

    >>> from hopref import theory
    >>> round(float(theory.capacity_sparse(0.01)), 2)
    10.86
    """
    return np.float64(-0.5) / (p * math.log(p))


def willshaw_load(pairs, /, *, active, sites):
    r"""Expected fraction of ones in a clipped memory of random pairs.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: p = 1 - \left(1 - \frac{k_x k_y}{d_x d_y}\right)^N

    Parameters
    ----------
    pairs : int >= 1, the number N of stored pairs, with independent supports
    active : pair of integers, the numbers k_x and k_y of active units
    sites : pair of integers, the numbers d_x and d_y of units

    Returns
    -------
    float, the fraction of weights that are 1

    Raises
    ------
    DomainError : active exceeds sites, or a number is not an integer >= 1

    Notes
    -----
    The formula is for pairs x -> y.  For auto-association more weights on the diagonal are 1, and
    fewer beside it.  After one-step recall from a complete cue each inactive unit is active by
    error with probability about p^k_x.

    >>> from hopref import theory
    >>> theory.willshaw_load(2, active=(1, 1), sites=(2, 1))
    0.75
    """
    with naming("hopref.theory.willshaw_load"):
        pairs = count.validate("pairs", pairs)
        (k_x, k_y), (d_x, d_y) = _two("active", active), _two("sites", sites)
        if k_x > d_x or k_y > d_y:
            raise DomainError(f"active must be at most sites; got active={active!r}")
    clipped = (k_x / d_x) * (k_y / d_y)
    return -math.expm1(pairs * math.log1p(-clipped)) if clipped < 1 else 1.0


def _two(name, values):
    if not isinstance(values, (tuple, list)) or len(values) != 2:
        raise DomainError(f"{name} must be a pair of integers >= 1; got {name}={values!r}")
    return [count.validate(f"{name}[{i}]", v) for i, v in enumerate(values)]
