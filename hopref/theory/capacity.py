"""Storage capacities of associative memories, with their units and the status of each result.

Units: *patterns*; *patterns per neuron* (the load N/d); *bits per synapse* (information in the
patterns divided by the number of weights).  Values in different units cannot be compared directly;
`bits_per_synapse` converts.  "auto" denotes auto-association, "hetero" hetero-association.

Each docstring ends with a status: *read* in the paper or in its abstract, *secondary* (stated by
other authors), *derived* (proved here and verified by tests), or *not verified*.
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
which = choice(most=0, all=1)                   # exponent of the factor 1/n of "all"
LEAST, MOST = 1.0, 2.0                          # a bracket of the y of largest load
HALVINGS = 60                                   # bisections, down to the last bit of y


# --- classical: Hebbian weights, random polar patterns, auto-association -------------------------

@op("->()", y=positive)
def spin_glass_load(y, /):
    r"""Patterns per neuron at which recall has the overlap erf(y) and the error rate erfc(y)/2.

    Source: Amit, Gutfreund & Sompolinsky 1985, replica symmetric, no noise [CAP-1].

    .. math:: \alpha(y) = \tfrac12 \Big(\frac{\mathrm{erf}(y)}{y}
        - \frac{2}{\sqrt\pi} e^{-y^2}\Big)^2 = \tfrac12 \Big(\frac{P(3/2, y^2)}{y}\Big)^2

    P is the regularised incomplete gamma function, which avoids cancellation for small y.

    Returns: float, patterns per neuron.

    Status: derived, from the mean-field equations m = erf(y), y = m / sqrt(2 alpha r).

    >>> from hopref import theory
    >>> round(float(theory.spin_glass_load(1.51122)), 6)
    0.137906
    """
    from scipy.special import gammainc
    return (gammainc(1.5, y * y) / y) ** 2 / 2


@op("->(),(),()")
def capacity_with_errors():
    r"""Largest load at which the Hebbian network recalls patterns with few errors.

    Source: Amit, Gutfreund & Sompolinsky 1985, replica symmetric, no noise [CAP-1].

    .. math:: \alpha_c = \max_y \alpha(y), \quad m = \mathrm{erf}(y),
        \quad \text{errors} = \tfrac12 \mathrm{erfc}(y)

    Returns: (load, overlap, errors), where load is in patterns per neuron, overlap is that of the
    recalled state with the pattern, and errors is the fraction of wrong components.

    Notes: the values hold for d -> infinity; small networks have no sharp limit.  One step of
    replica symmetry breaking changes the load to 0.138186.

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
    r"""Fraction of wrong components after one step from a cue with the fraction ``errors`` wrong.

    Source: signal-to-noise analysis with zero diagonal [CAP-1, CB-9].

    .. math:: Q\Big(\frac{1 - 2\rho}{\sqrt\alpha}\Big), \quad \alpha = N/d,
        \quad Q(x) = \tfrac12 \mathrm{erfc}(x/\sqrt2)

    Parameters
    ----------
    load : alpha, patterns per neuron, > 0
    errors : rho, the fraction of wrong components in the cue

    Returns: float, a fraction of components.

    Notes: the limit is d -> infinity.  For finite N and d, at load (N - 1) / (d - 1), the error of
    the approximation is at most 0.48 / sqrt((N - 1)(d - 1)) by the Berry-Esseen theorem, because
    the crosstalk is a sum of (N - 1)(d - 1) independent signs.

    Status: derived.

    >>> from hopref import theory
    >>> round(float(theory.bit_error(0.138)), 5)
    0.00355
    """
    return np.float64(math.erfc((1 - 2 * errors) / math.sqrt(2 * load)) / 2)


@op("->()", d=several, n=several, errors=wrong, patterns=which)
def capacity_without_errors(d, /, *, n=2, errors=0.0, patterns="most"):
    r"""Number of patterns that a dense memory of degree n recalls in one step without errors.

    Source: McEliece, Posner, Rodemich & Venkatesh 1987 (n = 2, the Hebbian network); Krotov &
    Hopfield 2016 and Demircigil et al. 2017, through Ramsauer et al. 2021, A.3 (n > 2);
    Chaudhry et al. 2023 for sequences [CAP-2, CAP-7, SQ-4].

    .. math:: N = \frac{(1 - 2\rho)^{2(n-1)}\, d^{\,n-1}}{2\, (2n - 3)!!\, \ln d}
        \text{ (most)}, \qquad \frac{(1 - 2\rho)^{2(n-1)}\, d^{\,n-1}}{2n\, (2n - 3)!!\, \ln d}
        \text{ (all)}

    Parameters
    ----------
    d : number of components, >= 2
    n : degree of the interaction F(z) = z^n, >= 2; n = 2 gives d/(2 ln d) or d/(4 ln d)
    errors : rho, the fraction of wrong components in the cue
    patterns : whether "most" patterns, or "all" of them, are recalled as d -> infinity

    Returns: float, the number of patterns, not rounded; infinite beyond the largest float.

    Notes: `sequences.update` of degree n, whose crosstalk has the powers of a dense memory of
    degree n + 1, recalls single transitions of a sequence of capacity_without_errors(d, n=n + 1)
    patterns, and the sequence as a whole for patterns="all".

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

    Returns: float, the number of patterns, not rounded.

    Status: not verified; secondary sources agree, and one gives 0.42 d by another criterion.

    >>> from hopref import theory
    >>> round(float(theory.capacity_storkey(4096)))
    1004
    """
    return np.float64(d / math.sqrt(2 * math.log(d)))


@op("->()", d=several)
def capacity_projection(d, /):
    r"""Number of patterns that the projection rule stores.

    Source: Personnaz, Guyon & Dreyfus [CAP-4].

    .. math:: N = d

    Returns: float, the number of patterns.

    Notes: the patterns must be linearly independent; each is then a fixed point.  For N = d the
    weights are the identity, every state is a fixed point, and no error is corrected.

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
    r"""Information capacity of sparse patterns recalled in one step with vanishing errors.

    Source: Palm; Schwenker, Sommer & Palm 1996; Willshaw et al. 1969 for clipped weights [CAP-5].

    .. math:: \frac{1}{2 \ln 2} = 0.72 \text{ (additive)}, \quad \ln 2 = 0.69 \text{ (clipped)},
        \quad \text{a quarter of it in auto-association}

    Parameters
    ----------
    weights : "additive" (Hebbian or covariance), or "clipped" to 0 and 1
    recall : "hetero" for pairs, or "auto" for the completion of partial patterns

    Returns: float, bits per synapse.

    Notes: the limit is d -> infinity with about ln d active units.  The value is not a number of
    patterns.

    Status: read (abstracts); the hetero values derived.

    >>> from hopref import theory
    >>> [round(float(theory.information_capacity(recall=r)), 3) for r in ("hetero", "auto")]
    [0.721, 0.18]
    """
    return np.float64(weights * recall)


@op("->()", load=positive, activity=share)
def bits_per_synapse(load, /, *, activity=0.5):
    r"""Information in ``load`` patterns per neuron, divided by the d^2 synapses.

    Source: Palm; the entropy of components that are active with probability p [CAP-5].

    .. math:: -\alpha \, (p \log_2 p + (1 - p) \log_2 (1 - p))

    Parameters
    ----------
    load : alpha, patterns per neuron, > 0
    activity : p, the probability that a component is active

    Returns: float, bits per synapse.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.bits_per_synapse(0.138))          # polar patterns: 1 bit per component
    0.138
    """
    p, q = activity, 1 - activity
    return np.float64(-load * (p * math.log2(p) + q * math.log1p(-p) / math.log(2)))


@op("->()", p=share)
def capacity_sparse(p, /):
    r"""Capacity of the covariance rule for sparse patterns, as the activity p tends to 0.

    Source: Tsodyks & Feigel'man 1988; the blog's value is too large by a factor 2 [CAP-6].

    .. math:: \alpha = \frac{1}{2 p \, |\ln p|}

    Parameters
    ----------
    p : activity, the fraction of active components

    Returns: float, patterns per neuron.

    Notes: convergence to the limit is slow: with 5 % errors the measured capacity is about 0.26 of
    it at p = 0.1 and 0.45 of it at p = 0.001.

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
    pairs : N, the number of stored pairs, whose supports are independent
    active : (k_x, k_y), the numbers of active units of each pair
    sites : (d_x, d_y), the numbers of units

    Returns
    -------
    float, the fraction of weights that are 1

    Notes
    -----
    The formula holds for pairs x -> y.  In auto-association the fraction is larger on the diagonal
    and smaller off it.  One-step recall from a complete cue activates a silent unit with
    probability about p^k_x.

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
