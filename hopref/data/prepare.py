"""Preparation of pictures: grey levels to patterns, patterns to cues.

These choices belong to no model.  Papers often leave them unstated although results depend on
them, so each has a name.
"""
from typing import Any

import numpy as np

from hopref.dispatch.domains import Choice, real, seed
from hopref.dispatch.validation import numpy_array
from hopref.errors import DomainError, RangeError, ShapeError, naming

__all__ = ["normalise", "corrupt", "NORMALISATIONS", "CORRUPTIONS"]

WHITE = 255.0


def _over(x: Any, size: Any) -> Any:
    """The quotient x / size, or x if the size is 0."""
    return x / np.where(size == 0, 1.0, size)


def _norm(x: Any) -> Any:
    return np.sqrt((x * x).sum(-1, keepdims=True))


def _centred(x: Any) -> Any:
    return x - x.mean(-1, keepdims=True)


def _unit(x: Any) -> Any:
    """The unit vector x / |x|, in two steps, so that no square overflows or underflows."""
    x = _over(x, np.abs(x).max(-1, keepdims=True, initial=0.0))
    return _over(x, _norm(x))


NORMALISATIONS = {
    "none": lambda x: x,
    "unit": _unit,
    "centred": _centred,
    "centred-unit": lambda x: _unit(_centred(x)),
    "standardised": lambda x: np.sqrt(x.shape[-1]) * _unit(_centred(x)),
    "fourth-root-d": lambda x: x / x.shape[-1] ** 0.25,
    "root-d": lambda x: x / np.sqrt(x.shape[-1]),
    "polar": lambda x: np.where(x > 128 / (WHITE / 2) - 1, -1.0, 1.0),
}


def normalise(X: Any, how: str = "none") -> np.ndarray:
    """Convert pictures to patterns.

    Integers are grey levels from 0 to 255 and are converted to values g / 127.5 - 1 in [-1, 1];
    floating-point numbers are values already.  With x a picture and d its number of pixels, the
    normalisations are

    ============== ============================== ============================================
    how            pattern                        norm
    ============== ============================== ============================================
    none           x                              up to sqrt(d)
    unit           x / |x|                        1
    centred        x - mean(x)                    up to sqrt(d)
    centred-unit   (x - mean(x)) / |x - mean(x)|  1
    standardised   (x - mean(x)) / std(x)         sqrt(d)
    fourth-root-d  x / d^(1/4): scores / sqrt(d)  up to d^(1/4)
    root-d         x / sqrt(d): scores / d        up to 1
    polar          -1 where g > 128, else +1      sqrt(d)
    ============== ============================== ============================================

    Parameters
    ----------
    X : (N, ...) pictures, each of which is normalised separately; a picture without contrast
        becomes 0
    how : name of the normalisation

    Returns
    -------
    (N, ...) patterns, float64

    Notes
    -----
    A rule that thresholds its patterns is given normalised values: `normalise(X, "unit")` has no
    component below -0.5.  To threshold before normalising, set the components to 0 before the call.

    >>> from hopref.data import normalise
    >>> normalise([[3.0, 4.0]], "unit")
    array([[0.6, 0.8]])
    >>> import numpy as np
    >>> normalise(np.array([[0, 255]], dtype=np.uint8))
    array([[-1.,  1.]])
    """
    with naming("hopref.data.normalise"):
        normalised = Choice(NORMALISATIONS).validate("how", how)
        values = _values(X)
    flat = values.reshape(values.shape[0], int(np.prod(values.shape[1:])))
    return normalised(flat).reshape(values.shape)


def _values(X: Any) -> Any:
    X = numpy_array("X", X)
    if X.ndim < 2 or 0 in X.shape[1:]:
        raise ShapeError(f"X must have shape (N, ...) with at least one pixel a picture; "
                         f"got {X.shape}")
    if X.dtype.kind not in "iu":
        return _finite(X)
    if X.size and not (X.min() >= 0 and X.max() <= WHITE):
        raise DomainError(f"X must be grey levels from 0 to 255 where it holds integers; "
                          f"got {X.min()} to {X.max()}")
    return X / (WHITE / 2) - 1


def _finite(X: Any) -> Any:
    """A float64 copy."""
    values = X.astype(np.float64)
    if not np.isfinite(values).all():
        raise DomainError("X must be finite; got NaN or infinity")
    return values


def _mask(X: Any, share: float, rng: Any, fill: float) -> Any:
    hidden = round(share * X.shape[1])
    cue = X.copy()
    cue[:, X.shape[1] - hidden:] = fill
    return cue


def _noise(X: Any, sigma: float, rng: Any, fill: float) -> Any:
    return X + sigma * rng.standard_normal(X.shape)


def _flip(X: Any, share: float, rng: Any, fill: float) -> Any:
    return np.where(rng.random(X.shape) < share, -X, X)


CORRUPTIONS = {
    "mask": (_mask, 1.0),           # the function, and the largest amount
    "noise": (_noise, np.inf),
    "flip": (_flip, 1.0),
}


def corrupt(X: Any, how: str, *, rng: Any = 0, fill: float = 0.0) -> np.ndarray:
    """Corrupt patterns to obtain cues.

    ========= ==========================================================================
    how       effect
    ========= ==========================================================================
    mask:0.5  the lower half of the rows (the last half of the components) becomes `fill`
    noise:0.3 0.3 times a standard normal number is added to each component
    flip:0.1  each component changes its sign with probability 0.1
    ========= ==========================================================================

    Parameters
    ----------
    X : patterns (N, rows, columns) or (N, d); corrupt values first and `normalise` the cues
    how : one of the corruptions above
    rng : seed or Generator
    fill : value of hidden components; 0 is mid-grey for values in [-1, 1], and the blog hides
        polar pictures with +1, its black

    Returns
    -------
    cues of the shape of X, float64

    >>> from hopref.data import corrupt
    >>> corrupt([[1.0, -1.0, 1.0, -1.0]], "mask:0.5")
    array([[ 1., -1.,  0.,  0.]])
    """
    with naming("hopref.data.corrupt"):
        X = numpy_array("X", X).astype(np.float64)
        if X.ndim < 2:
            raise ShapeError(f"X must have shape (N, ...); got {X.shape}")
        damage, amount = _parsed(how)
        with np.errstate(over="ignore", invalid="ignore"):
            cues = damage(X, amount, seed.validate("rng", rng), real.validate("fill", fill))
        if not np.isfinite(cues).all() and np.isfinite(X).all():
            raise RangeError(f"the cues must be in the range of float64; got how={how!r}")
        return cues


def _parsed(how: Any) -> tuple[Any, float]:
    kind, _, amount = str(how).partition(":")
    try:
        damage, most = CORRUPTIONS[kind]
        if 0 <= float(amount) <= most and float(amount) < np.inf:
            return damage, float(amount)
    except (KeyError, ValueError):
        pass
    raise DomainError(f"how must be 'mask:SHARE', 'noise:SIGMA' or 'flip:SHARE', "
                      f"SHARE from 0 to 1, SIGMA >= 0; got how={how!r}")
