"""Laws of sequence memories.  Integers: what is not exponential is free of rounding."""
import numpy as np

from hopref.check.cases.draws import arrays, booleans, composed, integers, polar, sampled, small
from hopref.check.laws import equal, holds, law
from hopref.check.laws.dense import product
from hopref.models import bam
from hopref.storage import bam as pairs

__all__ = []

ORDERS = ("the sequence runs backwards", "patterns followed by themselves")


@composed
def sequences(draw, elements=None):
    """Polar states, integer patterns, and all options."""
    m, n, d = draw(integers(1, 3)), draw(integers(1, 4)), draw(integers(1, 5))
    elements = draw(sampled([polar, small])) if elements is None else elements
    return {"xi": draw(arrays(m, d, elements=polar)), "X": draw(arrays(n, d, elements=elements)),
            "interaction": draw(sampled(["polynomial", "rectified", "exponential"])),
            "n": draw(integers(1, 4)), "loop": draw(booleans()),
            "zero_diagonal": draw(booleans())}


@composed
def far_apart(draw):
    """Polar patterns, and options for which they often follow each other without an error."""
    return {"X": draw(arrays(draw(integers(2, 4)), 13, elements=polar)),
            "interaction": draw(sampled(["polynomial", "rectified", "exponential"])),
            "n": draw(integers(2, 4)), "zero_diagonal": draw(booleans())}


def value(z, interaction, n):
    """F(z)."""
    if interaction == "exponential":
        return np.exp(z)
    return product(np.where(z > 0, z, 0.0) if interaction == "rectified" else z, n)


def following(X, loop):
    return np.concatenate([X[1:], X[:1] if loop else 0 * X[:1]])


def fields(xi, X, interaction, n, loop, zero_diagonal):
    """sum_mu x_(mu+1),i F(r_mu,i) of all sites."""
    parts = X * xi[:, None]
    r = np.sum(parts, axis=-1)[..., None] - (parts if zero_diagonal else 0 * parts)
    return np.sum(following(X, loop) * value(r, interaction, n), axis=-2)


@law("sequences.update", id="SQ-2", over=sequences(),
     kills=(*ORDERS, "the last pattern always followed by the first", "degree ignored",
            "the last pattern never followed by the first", "a tie always gives 1",
            "powers of the sizes of overlaps", "negative overlaps not rectified",
            "own part of the overlaps always left out", "own part of the overlaps never left out"))
def the_new_state_has_the_signs_of_the_fields(f, xi, X, **options):
    """xi'_i = sgn sum_mu x_(mu+1),i F(r_mu,i), and xi_i at a tie."""
    h, new = fields(xi, X, **options), f(xi, X, **options)
    yield holds(new * h >= 0, "signs")
    if options["interaction"] != "exponential":
        yield equal(new, np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi)), "ties")


@law("sequences.update", id="SQ-1", over=sequences(), kills=ORDERS)
def degree_one_is_a_network_of_asymmetric_weights(f, xi, X, interaction, n, loop, zero_diagonal):
    """n = 1: sgn(W xi) with W = sum_mu x_(mu+1) x_mu^T, with its diagonal or without."""
    W = f.exact(pairs, X, following(X, loop))
    W = np.where(np.eye(X.shape[1], dtype=bool), 0.0, W) if zero_diagonal else W
    yield equal(f(xi, X, interaction="polynomial", n=1, loop=loop, zero_diagonal=zero_diagonal),
                f.exact(bam.forward, xi, xi, W))


@law("sequences.update", id="SQ-2", over=far_apart(), kills=ORDERS)
def patterns_that_are_far_apart_are_replayed_without_an_error(f, X, interaction, n, zero_diagonal):
    """F(d) > sum_nu |F(x_nu.x_mu)| over the other patterns: f(x_mu) = x_(mu+1), bit for bit; with
    the overlaps that lack a site where the diagonal is 0."""
    parts = X[:, None] * X
    r = np.sum(parts, axis=-1)[..., None] - (parts if zero_diagonal else 0 * parts)
    F = np.abs(value(r, interaction, n))                # of state mu, pattern nu and site
    own = np.take_along_axis(F, np.arange(len(X))[:, None, None], axis=1)[:, 0]
    slack = np.min(2 * own - np.sum(F, axis=1), axis=-1, keepdims=True)
    new = f(X, X, interaction=interaction, n=n, zero_diagonal=zero_diagonal)
    yield holds((new == following(X, True)) | ~(slack > 0))


@law("sequences.update", id="SQ-2", over=sequences(),
     kills=("a tie always gives 1", "powers of the sizes of overlaps"))
def signs_of_sites_are_free_and_powers_are_odd_or_even(f, xi, X, interaction, n, loop,
                                                       zero_diagonal):
    """f(s xi; s X) = s f(xi; X) for signs s of the sites, and for z^n: where no field is 0,
    f(-xi) = (-1)^n f(xi)."""
    options = {"loop": loop, "zero_diagonal": zero_diagonal}
    s = (-1.0) ** np.arange(X.shape[1])
    yield equal(f(s * xi, s * X, interaction=interaction, n=n, **options),
                s * f(xi, X, interaction=interaction, n=n, **options), "signs")
    here, there = (f(x, X, n=n, **options) for x in (xi, -xi))
    tie = fields(xi, X, "polynomial", n, **options) == 0
    yield holds((there == (-1) ** n * here) | tie, "negative")
