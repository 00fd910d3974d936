"""Bugs of random draws and of the kernel estimators made of them."""
import numpy as np

from hopref import features, projections
from hopref.check.bugs import bug

__all__ = []


def without_signs(m, d, *, rng):
    rng = np.random.default_rng(rng)
    blocks = [np.linalg.qr(rng.standard_normal((d, d)))[0].T for _ in range(-(-m // d))]
    return np.sqrt(rng.chisquare(d, (m, 1))) * np.concatenate(blocks)[:m]


def of_length_one(m, d, *, rng):
    omega = projections.orthogonal(m, d, rng=rng)
    return omega / np.linalg.norm(omega, axis=-1, keepdims=True)


def repeated_blocks(m, d, *, rng):
    block = projections.orthogonal(min(m, d), d, rng=rng)
    return np.concatenate([block] * -(-m // d))[:m]


def deaf_to_seeds(m, d, *, rng):
    return projections.orthogonal(m, d, rng=3)


def cosines(x, y, m, *, rng, width=1.0, root=1.0, phases=None):
    """Estimates of exp(-|x - y|^2/2) by random cosines."""
    rng = np.random.default_rng(rng)
    omega = width * rng.standard_normal((m, x.shape[-1]))
    phase = rng.uniform(0, 2 * np.pi, m if phases is None else phases)
    phi = [np.cos(a @ omega.T + phase) for a in (x, y)]
    return 2 * root * np.sum(phi[0] * phi[1], axis=-1) / m


def estimator(**wrong):
    def estimates(x, y, m, *, rng):
        return cosines(x, y, m, rng=rng, **wrong)
    return estimates


def products(kind, draw=projections.iid, height=0.0, eps=0.0, scale=1.0, repeated=False):
    """Estimates by a map of ours, with a bug: another height, an epsilon, a factor."""
    def estimates(x, y, m, *, rng):
        omega = draw(1 if repeated else m, x.shape[-1], rng=rng)
        phi = [scale * np.exp(-height * np.sum(v * v, axis=-1, keepdims=True))
               * (getattr(features, kind)(v, omega) + eps) for v in (x, y)]
        return np.sum(phi[0] * phi[1], axis=-1)
    return estimates


WRONG = {
    "QR without sign correction": ("projections.orthogonal", without_signs),
    "rows of length 1": ("projections.orthogonal", of_length_one),
    "rows of the one length sqrt(d)": ("projections.orthogonal", projections.regularized),
    "rows of chi length": ("projections.regularized", projections.orthogonal),
    "rows independent, not orthogonal": ("projections.orthogonal", projections.iid),
    "same seed for every block": ("projections.orthogonal", repeated_blocks),
    "seed ignored": ("projections.orthogonal", deaf_to_seeds),
    "bandwidth wrong": ("estimators.gaussian", estimator(width=2.0**0.5)),
    "1/sqrt(m) missing": ("estimators.gaussian", estimator(root=1.1)),
    "same phase for every feature": ("estimators.gaussian", estimator(phases=1)),
    "right angles, not those of a simplex": ("projections.simplex", projections.orthogonal),
    "|x|^2 in the exponent, not half of it": ("estimators.positive",
                                              products("positive", height=0.5)),
    "same row for every feature": ("estimators.positive", products("positive", repeated=True)),
    "a single exponential, not a pair": ("estimators.hyperbolic", products("positive")),
    "1/sqrt(r), not 1/sqrt(m)": ("estimators.trigonometric",
                                 products("trigonometric", scale=0.5**0.5)),
    "1e-3 added to every feature": ("estimators.relu", products("relu", eps=1e-3)),
    "rows of an uncorrected QR factor": ("estimators.orthogonal",
                                         products("positive", without_signs)),
}
REGISTERED = [bug(name, subject)(function) for name, (subject, function) in WRONG.items()]
