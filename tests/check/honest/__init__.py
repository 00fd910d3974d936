"""Honest implementations, written as candidates write them: all must conform.

Each is a function of ``r``, the rounding after every step: that of float64 or float32, or to half
precision for the emulated eager formats.  ``sums`` names the order in which ``r`` adds numbers;
every order but that of the library rounds inside sums too.
"""
import importlib
import inspect
import pkgutil

import numpy as np

from hopref.check.tolerance.arithmetic import round_to

__all__ = ["SUMS", "Steps", "T", "candidates", "honest", "load", "log_domain", "on_rows",
           "powers_of_two", "stored", "weights_of"]

HONEST = {}     # op -> {name: maker}


def honest(*ops):
    def declare(maker):
        for op in ops:
            HONEST.setdefault(op, {})[maker.__name__] = maker
        return maker
    return declare


def load():
    """Import every module of implementations, and return them."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return HONEST


# ---- orders of summation along the last axis ----------------------------------------------------

def in_order(r, x):
    total = r(np.zeros((*x.shape[:-1], 1)))
    for k in range(x.shape[-1]):
        total = r(total + x[..., k, None])
    return total


def reversed_order(r, x):
    return in_order(r, x[..., ::-1])


def by_size(r, x):
    """The smallest terms first."""
    return in_order(r, np.take_along_axis(x, np.argsort(np.abs(x), axis=-1), axis=-1))


def pairwise(r, x):
    while x.shape[-1] > 1:
        if x.shape[-1] % 2:
            x = np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1)
        x = r(x[..., ::2] + x[..., 1::2])
    return x if x.shape[-1] else r(np.zeros((*x.shape[:-1], 1)))


def blocks_of_four(r, x):
    full = np.concatenate([x, np.zeros_like(x, shape=(*x.shape[:-1], -x.shape[-1] % 4))], axis=-1)
    blocks = full.reshape(*x.shape[:-1], full.shape[-1] // 4, 4)
    return in_order(r, in_order(r, blocks)[..., 0])


def compensated(r, x):
    """Kahan's sum; a term that is infinite or NaN has no correction."""
    total = lost = r(np.zeros((*x.shape[:-1], 1)))
    for k in range(x.shape[-1]):
        term = r(x[..., k, None] - lost)
        new = r(total + term)
        lost = r(r(new - total) - term)
        total, lost = new, np.where(np.isfinite(lost), lost, 0).astype(lost.dtype)
    return total


SUMS = {"library": None, "einsum": None, "in order": in_order, "reversed": reversed_order,
        "by size": by_size, "pairwise": pairwise, "blocks of four": blocks_of_four,
        "compensated": compensated}


# ---- arithmetic in a format ---------------------------------------------------------------------

class Steps:
    """Arithmetic in a format: ``r`` rounds, ``mul`` multiplies matrices, ``add`` adds."""
    def __init__(self, dtype, sums="library"):
        self.dtype, self.sums = dtype, sums

    def __call__(self, x):
        if self.dtype in ("float64", "float32"):
            return np.asarray(x, self.dtype)
        return round_to(np.asarray(x, np.float32), self.dtype).astype(np.float32)

    def given(self, x):
        return np.asarray(x, "float64" if self.dtype == "float64" else "float32")

    def mul(self, a, b):
        if self.sums == "library":
            return self(np.matmul(a, b))
        if self.sums == "einsum":
            return self(np.einsum("...ik,...kj->...ij", a, b))
        return self.add(self(a[..., :, None, :] * T(b)[..., None, :, :]))[..., 0]

    def add(self, x):
        """The sum along the last axis."""
        if self.sums == "library":
            return self(np.sum(x, axis=-1, keepdims=True))
        if self.sums == "einsum":
            return self(np.einsum("...k->...", x)[..., None])
        return SUMS[self.sums](self, x)


def stored(dtype, y):
    """The result in the candidate's own format."""
    return round_to(y, dtype) if dtype != "bfloat16" else np.asarray(y, np.float32)


def T(x):
    return np.swapaxes(x, -1, -2)


def weights_of(r, s):
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    e = r(np.exp(r(s - np.where(np.isfinite(top), top, 0))))
    total = r.add(e)
    return r(e / np.where(total > 0, total, 1))


def powers_of_two(r, s):
    """Softmax with 2^x in place of e^x."""
    s = r(s * r(np.log2(np.e)))
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    e = r(np.exp2(r(s - np.where(np.isfinite(top), top, 0))))
    total = r.add(e)
    return r(e / np.where(total > 0, total, 1))


def log_domain(r, s):
    """exp(log softmax), with the maximum subtracted first."""
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    below = r(s - np.where(np.isfinite(top), top, 0))
    total = r.add(r(np.exp(below)))
    return r(np.exp(r(below - r(np.log(np.where(total > 0, total, 1))))))


def on_rows(r, xi):
    return r.given(xi)[..., None, :]


def candidates(op, dtype, sums="library"):
    """{name: callable} of the honest implementations of an op in a format."""
    r = Steps(dtype, sums)

    def finished(function):
        def call(*args, **kwargs):
            with np.errstate(all="ignore"):
                y = function(*args, **kwargs)
                return tuple(stored(dtype, part) for part in y) if isinstance(y, tuple) \
                    else stored(dtype, y)
        call.__signature__ = inspect.signature(function)
        return call
    return {name: finished(maker(r)) for name, maker in load().get(op, {}).items()}
