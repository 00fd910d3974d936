"""Bugs of dense associative memories."""
import numpy as np

from hopref.check.bugs import bug, named, run, wrong_argument, wrong_call
from hopref.models import dense

__all__ = []

TOGETHER = ("dense.update", "dense.first_order_update")


def others(xi, X):
    return (xi @ X.T)[..., None] - X * xi[..., None, :]


def sign(h, xi):
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi))


def difference(F, r, X, n):
    return np.sum(F(r + X, n) - F(r - X, n), axis=-2)


def gains(op, given, xi, r):
    """The field of every site from overlaps r, in the form that does not overflow."""
    F, X, n = named(op, "interaction", given), given["X"], given["n"]
    if op.name == "dense.first_order_update":
        return np.sum(X * F.slope(r, n), axis=-2)
    return F.gain(F.F, r, X, n)


def answers(op, given, field, tie=None):
    """The state after updates by ``field(xi)``, of all sites or in order; a tie keeps the site."""
    xi = given["xi"]
    for i in given.get("order", [np.arange(xi.shape[-1])]):
        new = sign(field(xi), xi if tie is None else tie)
        xi = np.where(np.isin(np.arange(xi.shape[-1]), i), new, xi)
    return xi


# -- energies -------------------------------------------------------------------------------------

@wrong_call("negative overlaps not rectified", "dense.energy")
def not_rectified(op, given):
    rectified = given["interaction"] == "rectified"
    return run(op, given | {"interaction": "polynomial"}) if rectified else None


@wrong_call("quadratic interaction without its half", "dense.energy")
def quadratic_without_its_half(op, given):
    return 2 * run(op, given) if given["interaction"] == "quadratic" else None


@wrong_call("log of the mean in place of the sum", "dense.log_energy")
def log_of_the_mean(op, given):
    return run(op, given) + np.log(len(given["X"]))


@bug("exponentials overflow", "dense.log_energy")
def exponentials_overflow(xi, X, /):
    return -np.log(np.sum(np.exp(np.asarray(xi @ X.T, dtype=float)), axis=-1))


# -- moves ----------------------------------------------------------------------------------------

@wrong_call("own part of the overlap not left out", *TOGETHER, "dense.asynchronous_update")
def own_part_not_left_out(op, given):
    X = given["X"]
    return answers(op, given, lambda x: gains(op, given, x, (x @ X.T)[..., None] + 0 * X))


@wrong_call("a tie always gives 1", *TOGETHER, "dense.asynchronous_update")
def a_tie_always_gives_1(op, given):
    return answers(op, given, lambda x: gains(op, given, x, others(x, given["X"])), tie=1.0)


@wrong_call("differences of F as they stand", "dense.update", "dense.asynchronous_update")
def differences_as_they_stand(op, given):
    F, X, n = named(op, "interaction", given).F, np.asarray(given["X"], dtype=float), given["n"]
    xi = np.asarray(given["xi"], dtype=float)
    return answers(op, given | {"xi": xi}, lambda x: difference(F, others(x, X), X, n))


@wrong_call("the higher energy taken", "dense.asynchronous_update")
def the_higher_energy(op, given):
    return answers(op, given, lambda x: -gains(op, given, x, others(x, given["X"])))


@wrong_call("the slope in place of the difference", "dense.asynchronous_update")
def by_the_slope(op, given):
    rule, rest = dense.first_order_update, {k: v for k, v in given.items() if k != "order"}
    return answers(op, given, lambda x: run(rule, rest | {"xi": x}))


@wrong_call("overlaps not updated after a flip", "dense.asynchronous_update")
def stale_overlaps(op, given):
    X = given["X"]
    m = (given["xi"] @ X.T)[..., None]
    return answers(op, given, lambda x: gains(op, given, x, m - X * x[..., None, :]))


@wrong_call("one site after another", "dense.update")
def one_site_after_another(op, given):
    return run(dense.asynchronous_update, given | {"order": np.arange(given["xi"].shape[-1])})


@bug("equal exponentials on both sides not cancelled", "dense.update")
def equal_exponentials_not_cancelled(xi, X, /, *, interaction="polynomial", n=3):
    if interaction != "exponential":
        return None
    X = np.asarray(X, dtype=float)
    up, down = others(xi, X) + X, others(xi, X) - X
    top = np.max(np.maximum(up, down), axis=-2, keepdims=True)
    return sign(np.sum(np.exp(up - top), axis=-2) - np.sum(np.exp(down - top), axis=-2), xi)


# -- the slope ------------------------------------------------------------------------------------

@wrong_call("F in place of its slope", "dense.first_order_update")
def value_for_slope(op, given):
    F, X, n = named(op, "interaction", given).F, np.asarray(given["X"], dtype=float), given["n"]
    xi = np.asarray(given["xi"], dtype=float)
    return answers(op, given | {"xi": xi}, lambda x: np.sum(X * F(others(x, X), n), axis=-2))


@bug("powers as they stand", "dense.first_order_update")
def powers_as_they_stand(xi, X, /, *, interaction="polynomial", n=3):
    if interaction not in ("polynomial", "rectified"):
        return None
    xi, X = np.asarray(xi, dtype=float), np.asarray(X, dtype=float)
    r = others(xi, X)
    slope = n * np.prod([np.ones_like(r), *[r] * (n - 1)], axis=0)
    slope = np.where(r > 0, slope, 0.0) if interaction == "rectified" else slope
    return sign(np.sum(X * slope, axis=-2), xi)


REGISTERED = [
    wrong_argument("degree ignored", "dense.energy", n=3),
]
