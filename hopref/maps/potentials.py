r"""Potentials of the separation maps: regularisers, conjugates and Fenchel-Young losses.

Each map has a regulariser Omega, a conjugate :math:`\Omega^*(z) = \max_p p^T z - \Omega(p)`, whose
gradient is the map, and a loss :math:`L_\Omega(z; p) = \Omega(p) + \Omega^*(z) - z^T p \ge 0`,
which is 0 if and only if p is the map of z.  Omega is 0 at a vertex of the simplex; that of
k-subsets is k/2 at an indicator of k entries.  With ``beta`` a conjugate is
:math:`\beta^{-1} \Omega^*(\beta z)`, like logsumexp.  A class that ``where`` hides from a loss has
neither a score nor a target.

Reference: Blondel, Martins & Niculae 2020, *Learning with Fenchel-Young Losses*.
"""
import math

from hopref.dispatch.domains import count, mask, phi, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.dispatch.preconditions import k_of_n
from hopref.maps.double_double import total
from hopref.maps.entries import dot, finite_or_zero, kth_largest, log_or_zero, seen, shown
from hopref.maps.signs import strongest
from hopref.maps.sparse import (
    above_one,
    at_least_one,
    entmax,
    k_subsets,
    normmax,
)

__all__ = ["tsallis", "norm", "half_square", "entmax_conjugate", "normmax_conjugate",
           "k_subsets_conjugate", "entmax_loss", "normmax_loss", "k_subsets_loss"]

TERMS = 24      # terms of a power series; later ones are negligible for arguments up to 1


@op("(...,n)->(...)", p=phi, alpha=at_least_one)
def tsallis(p, /, *, alpha=1.5):
    r"""Negative Tsallis entropy, the regulariser of entmax; negative Shannon entropy at alpha = 1.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: \Omega(p) = \frac{\sum_i p_i^\alpha - 1}{\alpha (\alpha - 1)}, \quad
        \textstyle\sum_i p_i = 1

    The 1 is evaluated as the sum of p, which avoids cancellation near alpha = 1.

    >>> from hopref.maps import tsallis
    >>> float(tsallis([0.5, 0.5], alpha=2.0))
    -0.25
    """
    logs = log_or_zero(p)
    if alpha == 1:
        return dot(p, logs)
    if alpha == 2:
        return dot(p, p - 1) / 2
    return dot(p, namespace(p).expm1((alpha - 1) * logs)) / (alpha * (alpha - 1))


@op("(...,n)->(...)", p=phi, gamma=above_one)
def norm(p, /, *, gamma=2.0):
    r"""A norm minus 1, the regulariser of normmax.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: \Omega(p) = \|p\|_\gamma - 1

    >>> from hopref.maps import norm
    >>> float(norm([0.0, 1.0]))
    0.0
    """
    xp = namespace(p)
    top = xp.max(p, axis=-1, keepdims=True)
    share = p / xp.where(top > 0, top, 1.0)
    return top[..., 0] * xp.pow(xp.sum(xp.pow(share, gamma), axis=-1), 1 / gamma) - 1


@op("(...,n)->(...)", p=phi)
def half_square(p, /):
    r"""Half the squared norm, the regulariser of k-subsets.

    Source: Niculae et al. 2018 [FY-1].

    .. math:: \Omega(\mu) = \tfrac12 \|\mu\|^2

    >>> from hopref.maps import half_square
    >>> float(half_square([1.0, 1.0]))
    1.0
    """
    return dot(p, p) / 2


@op("(...,n)->(...)", beta=positive, alpha=at_least_one)
def entmax_conjugate(z, /, *, beta=1.0, alpha=1.5):
    r"""Conjugate whose gradient is entmax; logsumexp at alpha = 1.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: \beta^{-1} \Omega^*(\beta z) = p^T z - \beta^{-1} \Omega(p), \quad
        p = \mathrm{entmax}_\alpha(\beta z)

    >>> from hopref.maps import entmax_conjugate
    >>> float(entmax_conjugate([0.0, 0.0], alpha=2.0))
    0.25
    """
    p = entmax(z, beta=beta, alpha=alpha)
    return expected_score(z, p) - tsallis(p, alpha=alpha) / beta


@op("(...,n)->(...)", beta=positive, gamma=above_one)
def normmax_conjugate(z, /, *, beta=1.0, gamma=2.0):
    r"""Conjugate whose gradient is normmax.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: \beta^{-1} \Omega^*(\beta z) = p^T z - \beta^{-1} (\|p\|_\gamma - 1), \quad
        p = \mathrm{normmax}_\gamma(\beta z)

    >>> from hopref.maps import normmax_conjugate
    >>> float(normmax_conjugate([5.0, 0.0]))
    5.0
    """
    p = normmax(z, beta=beta, gamma=gamma)
    return expected_score(z, p) - norm(p, gamma=gamma) / beta


@op("(...,n)->(...)", beta=positive, k=count, shape_rule=k_of_n)
def k_subsets_conjugate(z, /, *, k, beta=1.0):
    r"""Conjugate whose gradient is k-subsets.

    Source: Niculae et al. 2018 [FY-1].

    .. math:: \beta^{-1} \Omega^*(\beta z) = \mu^T z - \tfrac12 \beta^{-1} \|\mu\|^2, \quad
        \mu = \mathrm{k\text{-}subsets}(\beta z)

    >>> from hopref.maps import k_subsets_conjugate
    >>> float(k_subsets_conjugate([3.0, 2.0, 0.0], k=2))
    4.0
    """
    mu, kth = k_subsets(z, k=k, beta=beta), kth_largest(z, k)
    return k * kth[..., 0] + dot(mu, z - kth) - half_square(mu) / beta


@op("(...,n),(...,n)->(...)", p=phi, alpha=at_least_one, where=mask("(...,n)"))
def entmax_loss(z, p, /, *, alpha=1.5, where=True):
    r"""Fenchel-Young loss of entmax, the suboptimality of p for the scores z.

    Source: Blondel, Martins & Niculae 2020 [FY-1, FY-2].

    .. math:: L(z; p) = \Omega(p) + \Omega^*(z) - z^T p

    >>> from hopref.maps import entmax_loss
    >>> float(entmax_loss([3.0, 0.0], [0.0, 1.0], alpha=2.0))
    3.0
    """
    y, p = entmax(z, alpha=alpha, where=where), shown(p, where)
    change = score_difference(seen(z, where), y, p)
    return tsallis(p, alpha=alpha) - tsallis(y, alpha=alpha) + change


@op("(...,n),(...,n)->(...)", p=phi, gamma=above_one, where=mask("(...,n)"))
def normmax_loss(z, p, /, *, gamma=2.0, where=True):
    r"""Fenchel-Young loss of normmax.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: L(z; p) = \|p\|_\gamma - 1 + \Omega^*(z) - z^T p

    >>> from hopref.maps import normmax_loss
    >>> float(normmax_loss([3.0, 0.0], [0.0, 1.0]))
    3.0
    """
    y, p = normmax(z, gamma=gamma, where=where), shown(p, where)
    change = score_difference(seen(z, where), y, p)
    return norm(p, gamma=gamma) - norm(y, gamma=gamma) + change


@op("(...,n),(...,n)->(...)", p=phi, k=count, where=mask("(...,n)"), shape_rule=k_of_n)
def k_subsets_loss(z, p, /, *, k, where=True):
    r"""Fenchel-Young loss of k-subsets.

    Source: Niculae et al. 2018; Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: L(z; \mu) = \tfrac12 \|\mu\|^2 + \Omega^*(z) - z^T \mu

    >>> from hopref.maps import k_subsets_loss
    >>> float(k_subsets_loss([3.0, 2.0, 0.0], [1.0, 0.0, 1.0], k=2))
    2.0
    """
    y, p = k_subsets(z, k=k, where=where), shown(p, where)
    change = score_difference(seen(z, where), y, p)
    return half_square(p) - half_square(y) + change


# -- differences of potentials from their minimum, without cancellation --------------------------

@overridable
def tsallis_excess(p, /, *, alpha=1.5):
    """Omega(p) - Omega(u), u = 1/n, for Tsallis' negative entropy, whose minimum is at u."""
    return namespace(p).sum(power_divergence(p, 1 / p.shape[-1], alpha), axis=-1)


@overridable
def norm_excess(p, /, *, gamma=2.0):
    """|p| - |u|, u = 1/n, the difference of the norm from its minimum."""
    xp, n = namespace(p), p.shape[-1]
    least, many = n ** (1 / gamma - 1), gamma * (gamma - 1) / n
    mean = many * xp.sum(power_divergence(n * p, 1.0, gamma), axis=-1)      # of (n p)^gamma - 1
    rise = xp.expm1(xp.log1p(mean) / gamma)
    return xp.where(mean < math.inf, least * rise, norm(p, gamma=gamma) + (1 - least))


@overridable
def half_square_excess(mu, /, *, k):
    """(|mu|^2 - |u|^2)/2, u = k/n, for mu of sum k."""
    away = mu - k / mu.shape[-1]
    return dot(away, away) / 2


def power_divergence(p, u, a):
    """Bregman divergence (p^a - u^a - a u^(a-1) (p - u))/(a (a - 1)) >= 0 of every entry, a >= 1.

    It is p log(p/u) - p + u at a = 1.  For rows with the sum of u, its sum over a row equals that
    of (p^a - u^a)/(a (a - 1)), without cancellation.  With y = log(p/u) it is evaluated as
    u^a (y^2/2 + ...) where p is near u, elsewhere as (p (p^s - u^s)/s - u^s (p - u))/a, s = a - 1.
    """
    xp = namespace(p)
    if a == 2:
        return (p - u) * (p - u) / 2
    low = p < u / 2
    y = xp.where(low, xp.log(xp.where(p > 0, p, u) / u), xp.log1p((p - u) / u))
    near, s = (p > 0) & (a * xp.abs(y) <= 1), a - 1
    gap = xp.expm1(-s * xp.abs(y)) / -s if s else xp.abs(y)
    gap = xp.where(p > u, gap, -gap) * xp.pow(xp.maximum(p, u), s)
    return xp.where(near, u**a * power_series(y, a),
                    (p * gap - u**s * (p - u)) / a)


def power_series(y, a):
    """(e^(ay) - 1 - a (e^y - 1))/(a (a - 1)) for a |y| <= 1, by its series."""
    share = [1.0]           # k! times the coefficient of y^k: (1 + a + ... + a^(k-2))/a^(k-2)
    for _ in range(TERMS):
        share.append(1 + share[-1] / a)
    result = 0.0
    for k in range(TERMS + 2, 1, -1):
        result = share[k - 2] / math.factorial(k) + a * y * result
    return y * y * result


# -- Lagrangians and their Legendre transforms ----------------------------------------------------

def log_cosh(u, beta):
    """sum log cosh(beta u)/beta."""
    xp = namespace(u)
    a = xp.abs(beta * u)
    near = a < 0.5
    close = xp.abs(u) * xp.tanh(a) * half_of_log_cosh(a)
    far = xp.abs(u) + (xp.log1p(xp.exp(-2 * a)) - math.log(2)) / beta
    return xp.sum(xp.where(near, close, far), axis=-1)


def log_cosh_transform(u, beta):
    """u.tanh(beta u) - sum log cosh(beta u)/beta, the integral of artanh/beta from 0 to tanh."""
    xp = namespace(u)
    a = xp.minimum(xp.abs(beta * u), 400.0)       # above 400 it is log(2)/beta
    near, e = a < 0.5, xp.exp(-2 * a)
    close = xp.abs(u) * xp.tanh(a) * (1 - half_of_log_cosh(a))
    far = (math.log(2) - 2 * a * (e / (1 + e)) - xp.log1p(e)) / beta
    return xp.sum(xp.where(near, close, far), axis=-1)


def half_of_log_cosh(a):
    """log cosh(a)/(a tanh a), for a >= 0: 1/2 at 0."""
    xp = namespace(a)
    t = xp.tanh(a)
    return xp.where(t < 2.0**-40, 0.5, -xp.log1p(-t * t) / (2 * a * t))


def logsumexp_transform(u, beta):
    """u.p - lse(beta, u) = p.log(p)/beta, p = softmax(beta u), as a sum of terms <= 0."""
    xp = namespace(u)
    z = beta * (u - xp.max(u, axis=-1, keepdims=True))
    e = xp.exp(z)
    rest = total(xp.where(strongest(u), 0.0, e))
    logs = xp.where(e > 0, z, 0.0) - xp.log1p(rest)
    return dot(e / (1 + rest), logs) / beta


def expected_score(z, p):
    """p.z, evaluated relative to the largest score."""
    top = namespace(z).max(z, axis=-1, keepdims=True)
    return top[..., 0] - dot(p, top - z)


def score_difference(z, y, p):
    """z.y - z.p, evaluated relative to the largest score; y and p are 0 where a score is -inf."""
    xp = namespace(z)
    top = finite_or_zero(xp.max(z, axis=-1, keepdims=True))
    gap = xp.where(z > -math.inf, z - top, 0.0)
    return dot(gap, y - p) + top[..., 0] * xp.sum(y - p, axis=-1)
