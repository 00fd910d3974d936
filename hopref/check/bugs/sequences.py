"""Bugs of sequence memories."""
import numpy as np

from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

UPDATE = "sequences.update"


def signs(h, xi, tie=None):
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi if tie is None else tie))


def field(given, Y):
    """The field of the followers Y, with F as it stands."""
    xi, X = np.asarray(given["xi"]), np.asarray(given["X"])
    parts = X * xi[..., None, :]
    r = np.sum(parts, axis=-1, keepdims=True) - (parts if given["zero_diagonal"] else 0 * parts)
    n = given["n"]
    if given["interaction"] == "exponential":
        F = np.exp(r - np.max(r, axis=-2, keepdims=True, initial=-np.inf))
    else:
        F = np.where(r > 0, r, 0.0) ** n if given["interaction"] == "rectified" else r**n
    return np.sum(Y * F, axis=-2)


def followers(given):
    X = np.asarray(given["X"])
    return np.concatenate([X[1:], X[:1] if given["loop"] else 0 * X[:1]])


@wrong_call("the sequence runs backwards", UPDATE)
def backwards(op, given):
    return run(op, given | {"X": given["X"][::-1]})


@wrong_call("patterns followed by themselves", UPDATE)
def without_a_shift(op, given):
    return signs(field(given, given["X"]), given["xi"])


@wrong_call("a tie always gives 1", UPDATE)
def a_tie_always_gives_1(op, given):
    return signs(field(given, followers(given)), given["xi"], 1.0)


@wrong_call("powers of the sizes of overlaps", UPDATE)
def powers_of_sizes(op, given):
    if given["interaction"] != "polynomial" or given["n"] % 2 == 0:
        return None
    rectified = given | {"interaction": "rectified"}
    h = sum(field(rectified | {"xi": xi}, followers(given))
            for xi in (given["xi"], -given["xi"]))
    return signs(h, given["xi"])


@wrong_call("negative overlaps not rectified", UPDATE)
def not_rectified(op, given):
    rectified = given["interaction"] == "rectified"
    return run(op, given | {"interaction": "polynomial"}) if rectified else None


REGISTERED = [
    wrong_argument("degree ignored", UPDATE, n=3),
    wrong_argument("the last pattern always followed by the first", UPDATE, loop=True),
    wrong_argument("the last pattern never followed by the first", UPDATE, loop=False),
    wrong_argument("own part of the overlaps always left out", UPDATE, zero_diagonal=True),
    wrong_argument("own part of the overlaps never left out", UPDATE, zero_diagonal=False),
]
