"""Random features and their draws, wrong."""
import numpy as np

from hopref import features, projections
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


# -- draws --------------------------------------------------------------------------------------

def haar(d, rng, signs=True):
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return Q * np.sign(np.diagonal(R)) if signs else Q


def blocks(m, d, frame):
    return np.concatenate([frame() for _ in range(-(-m // d))])[:m]


def chi(m, d, rng):
    return np.sqrt(rng.chisquare(d, (m, 1)))


@mutant("projections.orthogonal")
def qr_without_sign(m, d, /, *, rng):
    """LAPACK's Q as it comes: not Haar, positive features biased"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.orthogonal")
def blocks_identical(m, d, /, *, rng):
    """one frame for all blocks, from one seed"""
    rng = np.random.default_rng(rng)
    frame = haar(d, rng)
    return chi(m, d, rng) * blocks(m, d, lambda: frame)


@mutant("projections.orthogonal")
def orthogonal_unit_norms(m, d, /, *, rng):
    """rows of length one"""
    rng = np.random.default_rng(rng)
    return blocks(m, d, lambda: haar(d, rng))


@mutant("projections.orthogonal")
def orthogonal_is_iid(m, d, /, *, rng):
    """not orthogonal at all"""
    return np.random.default_rng(rng).standard_normal((m, d))


@mutant("projections.orthogonal")
def orthogonal_fixed_frame(m, d, /, *, rng):
    """the coordinate axes"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: np.eye(d))


@mutant("projections.orthogonal")
def givens_with_replacement(m, d, /, *, rng):
    """rotations in planes (i, i) too, which scale a row"""
    rng = np.random.default_rng(rng)

    def frame():
        Q = np.eye(d)
        for _ in range(4 * d):
            (i, j), a = rng.integers(d, size=2), rng.uniform(0, np.pi)
            Q[i], Q[j] = np.cos(a) * Q[i] + np.sin(a) * Q[j], np.cos(a) * Q[j] - np.sin(a) * Q[i]
        return Q
    return chi(m, d, rng) * blocks(m, d, frame)


@mutant("projections.regularized")
def qr_without_sign_smreg(m, d, /, *, rng):
    """LAPACK's Q as it comes, times sqrt(d)"""
    rng = np.random.default_rng(rng)
    return np.sqrt(d) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.regularized")
def smreg_norm_one(m, d, /, *, rng):
    """rows of length 1 for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) / np.sqrt(d)


@mutant("projections.regularized")
def smreg_norm_d(m, d, /, *, rng):
    """rows of length d for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) * np.sqrt(d)


@mutant("projections.regularized")
def smreg_chi_norms(m, d, /, *, rng):
    """Gaussian lengths: the unregularised draw"""
    return projections.orthogonal(m, d, rng=rng)


@mutant("projections.iid")
def iid_uniform(m, d, /, *, rng):
    """uniform numbers"""
    return np.random.default_rng(rng).uniform(-1, 1, (m, d))


@mutant("projections.iid")
def iid_unit_rows(m, d, /, *, rng):
    """rows scaled to length sqrt(d)"""
    omega = projections.iid(m, d, rng=rng)
    return omega / np.sqrt((omega**2).mean(-1, keepdims=True))


@mutant("projections.iid")
def iid_rows_identical(m, d, /, *, rng):
    """one row, repeated"""
    return np.repeat(projections.iid(1, d, rng=rng), m, 0)


@mutant("projections.iid")
def seed_ignored(m, d, /, *, rng):
    """a new generator whatever was given"""
    return np.random.default_rng(0).standard_normal((m, d))
