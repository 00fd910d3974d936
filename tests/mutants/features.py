"""Random features, wrong."""
import numpy as np

from hopref import features
from tests.mutants import mutant


def half(x):
    return (x * x).sum(-1)[..., None] / 2


def waves(w):
    return np.concatenate([np.sin(w), np.cos(w)], -1)


# -- features -----------------------------------------------------------------------------------

@mutant("features.positive")
def missing_h(x, omega, /, *, beta=1.0):
    """no exp(-|x|^2/2)"""
    return np.exp(np.sqrt(beta) * x @ omega.T) / np.sqrt(len(omega))


@mutant("features.positive")
def h_of_the_other_sign(x, omega, /, *, beta=1.0):
    """exp(+|x|^2/2), right for trigonometric features"""
    return np.exp(np.sqrt(beta) * x @ omega.T + beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def norm_without_half(x, omega, /, *, beta=1.0):
    """exp(-|x|^2): the Gaussian kernel"""
    return np.exp(np.sqrt(beta) * x @ omega.T - 2 * beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def beta_unrooted(x, omega, /, *, beta=1.0):
    """beta omega x for sqrt(beta) omega x"""
    return np.exp(beta * x @ omega.T - beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def features_without_sqrt_m(x, omega, /, *, beta=1.0):
    """a sum over draws in place of a mean"""
    return features.positive(x, omega, beta=beta) * np.sqrt(len(omega))


@mutant("features.trigonometric")
def one_over_sqrt_r(x, omega, /, *, beta=1.0):
    """eq. (19) as printed: 1/sqrt(r), which halves the kernel"""
    return features.trigonometric(x, omega, beta=beta) / np.sqrt(2)


@mutant("features.trigonometric")
def trig_h_missing(x, omega, /, *, beta=1.0):
    """no exp(+|x|^2/2)"""
    return waves(np.sqrt(beta) * x @ omega.T) / np.sqrt(len(omega))


@mutant("features.trigonometric")
def trig_with_decay(x, omega, /, *, beta=1.0):
    """exp(-|x|^2/2), right for positive features"""
    return trig_h_missing(x, omega, beta=beta) * np.exp(-beta * half(x))


@mutant("features.hyperbolic")
def hyperbolic_without_sqrt_2(x, omega, /, *, beta=1.0):
    """1/sqrt(m) for 2m features"""
    return features.hyperbolic(x, omega, beta=beta) * np.sqrt(2)


@mutant("features.relu")
def relu_missing(x, omega, /):
    """omega x, unrectified"""
    return x @ omega.T / np.sqrt(len(omega))


@mutant("features.relu")
def relu_with_epsilon(x, omega, /):
    """relu + 1e-3, as in three published versions"""
    return features.relu(x, omega) + 1e-3


@mutant("features.log_positive")
def log_without_the_norm(x, omega, /, *, beta=1.0):
    """no -|x|^2/2"""
    return features.log_positive(x, omega, beta=beta) + beta * half(x)


@mutant("features.log_positive")
def log_max_subtracted(x, omega, /, *, beta=1.0):
    """a stabiliser left in"""
    log = features.log_positive(x, omega, beta=beta)
    return log - log.max(-1, keepdims=True)


@mutant("features.log_positive")
def log_of_the_exponential(x, omega, /, *, beta=1.0):
    """log of the features, which under- and overflow"""
    with np.errstate(all="ignore"):
        return np.log(features.positive(x, omega, beta=beta))


@mutant("features.log_trigonometric")
def log_trig_sign_lost(x, omega, /, *, beta=1.0):
    """all signs +1"""
    log, sign = features.log_trigonometric(x, omega, beta=beta)
    return log, np.ones_like(sign)


@mutant("features.general")
def general_one_over_sqrt_r(x, omega, /, *, h, functions, beta=1.0):
    """eq. (19) as printed: 1/sqrt(l m)"""
    return features.general(x, omega, h=h, functions=functions, beta=beta) / np.sqrt(len(functions))


@mutant("features.general")
def general_interleaved(x, omega, /, *, h, functions, beta=1.0):
    """f_1, f_2, f_1, f_2 ... in place of all of f_1 first"""
    f = features.general(x, omega, h=h, functions=functions, beta=beta)
    return f.reshape(len(x), len(functions), -1).swapaxes(1, 2).reshape(len(x), -1)


# -- exponential features -----------------------------------------------------------------------

@mutant("features.gerf")
def gerf_without_D(x, omega, /, *, A=0.0, beta=1.0):
    """no factor (1 - 4A)^(d/4), which cancels in attention alone"""
    return features.gerf(x, omega, A=A, beta=beta) * (1 - 4 * A) ** (-omega.shape[1] / 4)


@mutant("features.gerf")
def gerf_D_to_the_half(x, omega, /, *, A=0.0, beta=1.0):
    """(1 - 4A)^(d/2): that of the product, given to each factor"""
    return features.gerf(x, omega, A=A, beta=beta) * (1 - 4 * A) ** (omega.shape[1] / 4)


@mutant("features.gerf")
def gerf_unscaled(x, omega, /, *, A=0.0, beta=1.0):
    """B = 1 in place of sqrt(1 - 4A)"""
    stretched = x / np.sqrt(1 - 4 * A)
    return features.gerf(stretched, omega, A=A, beta=beta) * np.exp(
        beta * (half(stretched) - half(x)))


@mutant("features.gerf")
def gerf_gaussian_kernel(x, omega, /, *, A=0.0, beta=1.0):
    """C = -1, that of the Gaussian kernel"""
    return features.gerf(x, omega, A=A, beta=beta) * np.exp(-beta * half(x))


@mutant("features.gerf")
def gerf_beta_unrooted(x, omega, /, *, A=0.0, beta=1.0):
    """beta x for sqrt(beta) x"""
    return features.gerf(beta * x, omega, A=A)


@mutant("features.log_gerf")
def log_gerf_norm_missing(x, omega, /, *, A=0.0, beta=1.0):
    """no -|x|^2/2"""
    return features.log_gerf(x, omega, A=A, beta=beta) + beta * half(x)


@mutant("features.log_gerf")
def log_gerf_of_the_exponential(x, omega, /, *, A=0.0, beta=1.0):
    """log of the features, which underflow"""
    with np.errstate(all="ignore"):
        return np.log(features.gerf(x, omega, A=A, beta=beta))


@mutant("features.derf")
def derf_without_D(x, omega, a, B, /, *, beta=1.0):
    """no det(I - 4A)^(1/4)"""
    return features.derf(x, omega, a, B, beta=beta) / np.prod(1 - 4 * a) ** 0.25


@mutant("features.derf")
def derf_height_of_x(x, omega, a, B, /, *, beta=1.0):
    """C = -1/2, whatever B"""
    y = x @ B.T / np.sqrt(1 - 4 * a)
    with np.errstate(all="ignore"):
        return features.derf(x, omega, a, B, beta=beta) * np.exp(beta * (half(y) - half(x)))


@mutant("features.derf")
def derf_transposed(x, omega, a, B, /, *, beta=1.0):
    """B^T for B"""
    return features.derf(x, omega, a, B.T, beta=beta)


@mutant("features.log_derf")
def log_derf_norm_missing(x, omega, a, B, /, *, beta=1.0):
    """no x^T C x"""
    return features.log_derf(x, omega, a, B, beta=beta) + beta * half(x @ B.T / np.sqrt(1 - 4 * a))


@mutant("features.log_derf")
def log_derf_of_the_exponential(x, omega, a, B, /, *, beta=1.0):
    """log of the features, which underflow"""
    with np.errstate(all="ignore"):
        return np.log(features.derf(x, omega, a, B, beta=beta))
