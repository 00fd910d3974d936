"""Random patterns, one in each row."""
import numpy as np

__all__ = ["polar", "supports", "sphere", "with_norm", "flipped"]


def polar(rng, N, d):
    """Patterns (N, d) of independent components -1 and 1."""
    return 2.0 * rng.integers(2, size=(N, d), dtype=np.int8) - 1.0


def supports(rng, N, d, active):
    """Binary patterns (N, d) with exactly ``active`` ones each."""
    X = np.zeros((N, d))
    np.put_along_axis(X, rng.random((N, d)).argpartition(active, axis=1)[:, :active], 1.0, axis=1)
    return X


def sphere(rng, N, d, radius=1.0):
    """Patterns (N, d) that are uniform on the sphere."""
    return with_norm(rng.standard_normal((N, d)), radius)


def with_norm(X, norm):
    """The rows of X, rescaled to the given norm."""
    return norm * X / np.linalg.norm(X, axis=1, keepdims=True)


def flipped(rng, x, errors):
    """The polar pattern x with the signs of ``errors`` random components inverted."""
    cue = x.copy()
    cue[rng.choice(len(x), errors, replace=False)] *= -1
    return cue
