"""Random patterns, one a row."""
import numpy as np

__all__ = ["polar", "supports", "sphere", "of_norm", "flipped"]


def polar(rng, N, d):
    """Independent components -1 and 1."""
    return 2.0 * rng.integers(2, size=(N, d), dtype=np.int8) - 1.0


def supports(rng, N, d, active):
    """Zeros and exactly ``active`` ones."""
    X = np.zeros((N, d))
    np.put_along_axis(X, rng.random((N, d)).argpartition(active, axis=1)[:, :active], 1.0, axis=1)
    return X


def sphere(rng, N, d, radius=1.0):
    """Uniform on the sphere."""
    return of_norm(rng.standard_normal((N, d)), radius)


def of_norm(X, norm):
    """The rows, made so long."""
    return norm * X / np.linalg.norm(X, axis=1, keepdims=True)


def flipped(rng, x, errors):
    """The polar pattern with ``errors`` components of the wrong sign."""
    cue = x.copy()
    cue[rng.choice(len(x), errors, replace=False)] *= -1
    return cue
