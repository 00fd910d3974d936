"""Bugs of kernel estimators that draw their own features."""
import numpy as np

from hopref import features, projections
from hopref.check.bugs import bug
from hopref.check.bugs.projections import without_signs

__all__ = []


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
    """Estimates by a map of `features` with a bug: another height, an epsilon, a factor."""
    def estimates(x, y, m, *, rng):
        omega = draw(1 if repeated else m, x.shape[-1], rng=rng)
        phi = [scale * np.exp(-height * np.sum(v * v, axis=-1, keepdims=True))
               * (getattr(features, kind)(v, omega) + eps) for v in (x, y)]
        return np.sum(phi[0] * phi[1], axis=-1)
    return estimates


WRONG = {
    "bandwidth wrong": ("estimators.gaussian", estimator(width=2.0**0.5)),
    "1/sqrt(m) missing": ("estimators.gaussian", estimator(root=1.1)),
    "same phase for every feature": ("estimators.gaussian", estimator(phases=1)),
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
