r"""Feature maps of projections, h(x) f(omega.x), all of which are instances of blog eq. (19).

References: Choromanski et al. 2021, eq. (5), Lemmas 1 and 2.
"""
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hopref.dispatch.domains import Choice, Several, choice
from hopref.dispatch.domains import positive as positive_number
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.operation import op
from hopref.maps import SMALL, dot, itself, masked, moved
from hopref.maps import relu as positive_part

__all__ = ["Feature", "Height", "general", "log_general", "positive", "log_positive", "hyperbolic",
           "log_hyperbolic", "trigonometric", "log_trigonometric", "relu", "log_relu"]


class Feature(NamedTuple):
    """A function f of the projections u = omega x, elementwise.

    Attributes
    ----------
    log : callable, log|f|; -inf where f is 0
    sign : callable, the sign of f
    slope : `Feature`, the derivative of f, which gradients need
    """
    log: Callable
    sign: Callable
    slope: "Feature | None" = None

    @classmethod
    def from_function(cls, f, slope=None):
        """The `Feature` of a callable f whose values neither under- nor overflow.

        Parameters
        ----------
        f : callable, elementwise
        slope : `Feature`, the derivative of f

        Returns
        -------
        Feature
        """
        return cls(partial(_log_of, f), partial(_sign_of, f), slope)


class Height(NamedTuple):
    """The factor h of a feature map.

    Attributes
    ----------
    log : callable, log h, a function of x (..., d) with values (...)
    slope : float, the number c in grad log h(x) = c x, which gradients need
    """
    log: Callable
    slope: float | None = None


def _log_of(f, u):
    xp = namespace(u)
    size = xp.abs(f(u))
    return xp.where(size > 0, xp.log(xp.where(size > 0, size, 1.0)), -math.inf)


def _sign_of(f, u):
    return namespace(u).sign(f(u))


def _minus(u):
    return -u


def _ones(u):
    return namespace(u).ones_like(u)


def _sin(u):
    return namespace(u).sin(u)


def _cos(u):
    return namespace(u).cos(u)


def _minus_ones(u):
    return -_ones(u)


def _minus_sin(u):
    return -_sin(u)


def _step(u):
    xp = namespace(u)
    return xp.astype(u > 0, u.dtype)


def _one(x):
    return namespace(x).sum(0 * x, axis=-1)


def _growth(x):
    return dot(x, x) / 2


def _decay(x):
    return -dot(x, x) / 2


def _half_decay(x):
    return -dot(x, x) / 2 - math.log(2) / 2


one, decay = Height(_one, 0.0), Height(_decay, -1.0)
growth, half_decay = Height(_growth, 1.0), Height(_half_decay, -1.0)
exp = Feature(itself, _ones, Feature(itself, _ones))
exp_minus = Feature(_minus, _ones, Feature(_minus, _minus_ones))
sin = Feature.from_function(_sin, Feature.from_function(_cos))
cos = Feature.from_function(_cos, Feature.from_function(_minus_sin))
rectifier = Feature.from_function(positive_part, Feature.from_function(_step))

heights = Choice({"one": one, "decay": decay, "growth": growth, "half_decay": half_decay}, Height)
functions = Several(Choice({"exp": exp, "exp_minus": exp_minus, "sin": sin, "cos": cos,
                            "relu": rectifier}, Feature))


@op("(...,d),(m,d)->(...,lm),(...,lm)", h=heights, functions=functions, beta=positive_number)
def log_general(x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    r"""Logarithms of the absolute values of `general` features, and their signs.

    Source: blog eq. (19) [RF-10].

    .. math:: \log|\phi(x)| = \log h(\sqrt\beta x) - \tfrac12 \log m
        + (\log|f_1(u)|, \ldots, \log|f_l(u)|), \quad u = \sqrt\beta\, \Omega x

    Returns
    -------
    log_phi, sign : (..., l m) arrays, the logarithms of |phi(x)| and the signs of phi(x)

    >>> from hopref import features
    >>> features.log_general([2.0], [[1.0]], h="one", functions=("exp", "exp_minus"))
    (array([ 2., -2.]), array([1., 1.]))
    """
    height, logs, signs = _factors(x, omega, h, functions, beta)
    return finite_or_nan(height) + logs, signs


def _factors(x, omega, h, functions, beta):
    """log h - log(m)/2 for each row; log|f| and the signs of f."""
    xp = namespace(x)
    x = math.sqrt(beta) * x
    u = x @ omega.T
    logs = xp.concat([f.log(u) for f in functions], axis=-1)
    signs = xp.concat([f.sign(u) for f in functions], axis=-1)
    return h.log(x)[..., None] - math.log(omega.shape[0]) / 2, logs, signs


def finite_or_nan(height):
    """Replace infinities by NaN, which is an error in a result."""
    xp = namespace(height)
    return xp.where(xp.isfinite(height), height, math.nan)


@op("(...,d),(m,d)->(...,lm)", h=heights, functions=functions, beta=positive_number)
def general(x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    r"""The general random feature map.

    Source: Choromanski et al. 2021, eq. (5); blog eq. (19), where 1/sqrt(r) stands for 1/sqrt(m);
    Hoover et al. 2024, for sines and cosines of the Gaussian kernel [RF-10, DR-3].

    .. math:: \phi(x) = \frac{h(\sqrt\beta x)}{\sqrt m}
        (f_1(u), \ldots, f_l(u)), \quad u = \sqrt\beta\, \Omega x

    Parameters
    ----------
    h : factor: "one", "decay" exp(-|x|^2/2), "growth" exp(|x|^2/2), "half_decay"
        exp(-|x|^2/2)/sqrt(2), or a `Height`
    functions : f_1, ..., f_l, by name or as `Feature` records; "sin" and "cos" with the factor
        "one" are features of the kernel exp(-beta |x - y|^2/2)

    Returns
    -------
    (..., l m) array, the features: f_1 of all m projections, then f_2, and so on

    >>> from hopref import features
    >>> features.general([0.0], [[1.0], [2.0]], functions=("exp",)) * 2**0.5
    array([1., 1.])
    """
    height, logs, signs = _factors(x, omega, h, functions, beta)
    return signs * namespace(x).exp(namespace(x).where(height > -math.inf, height + logs, height))


def derivatives(functions):
    """The derivative of each function."""
    return tuple(f.slope for f in functions)


def divided(h, log_divisor):
    """The factor h divided by e^log_divisor, one number for each row."""
    return Height(partial(_log_divided, h.log, log_divisor), h.slope)


def _log_divided(log, log_divisor, x):
    return log(x) - log_divisor


@op("(...,d),(m,d)->(...,m)", beta=positive_number)
def log_positive(x, omega, /, *, beta=1.0):
    r"""Logarithms of `positive` features.

    Source: Choromanski et al. 2021, Lemma 1; blog eq. (19) [RF-2].

    .. math:: \log \phi(x) = \sqrt\beta\, \Omega x - \tfrac\beta2 \|x\|^2 - \tfrac12 \log m

    >>> from hopref import features
    >>> features.log_positive([3e9], [[1e-9]])
    array([-4.5e+18])
    """
    return log_general(x, omega, h=decay, functions=(exp,), beta=beta)[0]


@op("(...,d),(m,d)->(...,m)", beta=positive_number)
def positive(x, omega, /, *, beta=1.0):
    r"""Positive features of the softmax kernel (FAVOR+).

    Source: Choromanski et al. 2021, Lemma 1; blog eq. (19) [RF-2].

    .. math:: \phi(x) = \tfrac{1}{\sqrt m} e^{-\beta\|x\|^2/2} \exp(\sqrt\beta\, \Omega x)

    For independent rows N(0, I) of omega, phi(x).phi(y) has mean exp(beta x.y) and variance
    exp(s + 2 beta x.y) (1 - exp(-s))/m, with s = beta |x + y|^2.  The variance is 0 for y = -x.

    >>> from hopref import features
    >>> features.positive([0.0], [[1.0]])
    array([1.])
    """
    return general(x, omega, h=decay, functions=(exp,), beta=beta)


@op("(...,d),(m,d)->(...,2m)", beta=positive_number)
def log_hyperbolic(x, omega, /, *, beta=1.0):
    r"""Logarithms of `hyperbolic` features.

    Source: Choromanski et al. 2021, Lemma 1; blog eq. (19) [RF-3].

    .. math:: \log \phi(x) = \pm\sqrt\beta\, \Omega x - \tfrac\beta2 \|x\|^2 - \tfrac12 \log 2m

    >>> from hopref import features
    >>> log_phi = features.log_hyperbolic([1.0], [[2.0]])
    >>> float(log_phi[0] - log_phi[1])
    4.0
    """
    return log_general(x, omega, h=half_decay, functions=(exp, exp_minus), beta=beta)[0]


@op("(...,d),(m,d)->(...,2m)", beta=positive_number)
def hyperbolic(x, omega, /, *, beta=1.0):
    r"""Hyperbolic features of the softmax kernel, of each row of omega and its negative.

    Source: Choromanski et al. 2021, Lemma 1; blog eq. (19) [RF-3].

    .. math:: \phi(x) = \tfrac{1}{\sqrt{2m}} e^{-\beta\|x\|^2/2}
        (\exp(\sqrt\beta\, \Omega x), \exp(-\sqrt\beta\, \Omega x))

    >>> from hopref import features
    >>> features.hyperbolic([0.0], [[1.0]]) * 2**0.5
    array([1., 1.])
    """
    return general(x, omega, h=half_decay, functions=(exp, exp_minus), beta=beta)


@op("(...,d),(m,d)->(...,2m),(...,2m)", beta=positive_number)
def log_trigonometric(x, omega, /, *, beta=1.0):
    r"""Logarithms of the absolute values of `trigonometric` features, and their signs.

    Source: Choromanski et al. 2021, eq. (5); blog eq. (19) [RF-1].

    .. math:: \log|\phi(x)| = \tfrac\beta2 \|x\|^2 - \tfrac12 \log m + (\log|\sin u|, \log|\cos u|)

    Returns
    -------
    log_phi, sign : (..., 2 m) arrays, the logarithms of |phi(x)| and the signs of phi(x)

    >>> from hopref import features
    >>> log_phi, sign = features.log_trigonometric([0.0], [[1.0]])
    >>> log_phi, sign
    (array([-inf,   0.]), array([0., 1.]))
    """
    return log_general(x, omega, h=growth, functions=(sin, cos), beta=beta)


@op("(...,d),(m,d)->(...,2m)", beta=positive_number)
def trigonometric(x, omega, /, *, beta=1.0):
    r"""Trigonometric features of the softmax kernel, which have both signs.

    Source: Choromanski et al. 2021, eq. (5); blog eq. (19) [RF-1].

    .. math:: \phi(x) = \tfrac{1}{\sqrt m} e^{+\beta\|x\|^2/2}
        (\sin u, \cos u), \quad u = \sqrt\beta\, \Omega x

    >>> from hopref import features
    >>> features.trigonometric([0.0], [[1.0]])
    array([0., 1.])
    """
    return general(x, omega, h=growth, functions=(sin, cos), beta=beta)


@op("(...,d),(m,d)->(...,m)")
def log_relu(x, omega, /):
    r"""Logarithms of `relu` features.  Source: blog eq. (19) [RF-10].

    .. math:: \log \phi(x) = \log \max(0, \Omega x) - \tfrac12 \log m

    >>> from hopref import features
    >>> features.log_relu([1.0], [[-1.0]])
    array([-inf])
    """
    return log_general(x, omega, h=one, functions=(rectifier,))[0]


@op("(...,d),(m,d)->(...,m)")
def relu(x, omega, /):
    r"""ReLU features, of the arc-cosine kernel of order 1.

    Source: Choromanski et al. 2021, eq. (5); blog eq. (19) [RF-10].

    .. math:: \phi(x) = \tfrac{1}{\sqrt m} \max(0, \Omega x)

    The map is homogeneous, so that an inverse temperature would have no effect on attention.

    >>> from hopref import features
    >>> features.relu([1.0], [[-1.0], [2.0]]) * 2**0.5
    array([-0.,  2.])
    """
    return positive_part(x @ omega.T) / math.sqrt(omega.shape[0])


def _signed(h, functions, x, omega, beta):
    return log_general(x, omega, h=h, functions=functions, beta=beta)


PAIRED = frozenset({"hyperbolic", "trigonometric"})       # two features of every row of omega
random_features = choice(
    positive=partial(_signed, decay, (exp,)),
    hyperbolic=partial(_signed, half_decay, (exp, exp_minus)),
    trigonometric=partial(_signed, growth, (sin, cos)),
    relu=partial(_signed, one, (rectifier,)))


def feature_logs(kernel, Q, K, omega, beta, mask=True):
    """Logarithms of the features of queries and keys, and their signs, for use in attention.

    They may differ from the logarithms by one number for each query and one for all keys, on which
    attention does not depend.  The difference is 0 if all logarithms are in range.  Exponential
    features, whose logarithms are a square plus a product, are computed at any size of
    sqrt(beta) x.
    """
    (log_q, sign_q), (log_k, sign_k) = kernel(Q, omega, beta), kernel(K, omega, beta)
    xp, (h, functions) = namespace(log_k), kernel.args
    in_range = on_host(log_k) and not bool(xp.any(xp.isnan(log_q)) | xp.any(xp.isnan(log_k)))
    if in_range or h.slope != -1:
        return log_q, sign_q, log_k, sign_k
    small_q, small_k = (_small_logs(functions, x, omega, beta) for x in (Q, K))
    largest = partial(_largest_visible, mask=mask)
    return moved(log_q, small_q, _largest_of_row), sign_q, moved(log_k, small_k, largest), sign_k


def _small_logs(functions, x, omega, beta):
    """2^-1200 times the logarithms of exponential features, without their constants."""
    x = SMALL * (math.sqrt(beta) * x)
    u = SMALL * (x @ omega.T)
    logs = namespace(x).concat([f.log(u) for f in functions], axis=-1)
    return logs - dot(x, x)[..., None] / 2


def _largest_of_row(log_q):
    return namespace(log_q).max(log_q, axis=-1, keepdims=True)


def _largest_visible(log_k, mask):
    return namespace(log_k).max(masked(log_k, mask, -math.inf), axis=(-2, -1), keepdims=True)
