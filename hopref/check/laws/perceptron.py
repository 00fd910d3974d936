"""Laws of perceptron storage: integers learned row by row, basins, the capacity."""
import itertools
import math

import numpy as np

from hopref.check.cases.draws import arrays, composed, floats, integers, polar, records, sampled
from hopref.check.laws import equal, holds, law
from hopref.check.laws.capacity import rounded
from hopref.storage import perceptron

__all__ = []

margins = sampled([0.0, 0.25, 0.5, 1.0])        # whose squares are exact


@composed
def sets(draw):
    """Polar patterns, a number of epochs and a margin."""
    return {"X": draw(arrays(draw(integers(1, 4)), draw(integers(1, 5)), elements=polar)),
            "epochs": draw(integers(1, 6)), "margin": draw(margins)}


@composed
def cues(draw):
    """One or two polar patterns, their weights in another unit for each row, and a cue with some
    components flipped."""
    d = draw(integers(5, 8))
    X = draw(arrays(draw(integers(1, 2)), d, elements=polar))
    W = perceptron(X, epochs=6, margin=0.5) * 2.0 ** np.arange(d)[:, None]
    flips = draw(arrays(d, elements=sampled([1.0, 1.0, 1.0, -1.0])))
    return {"xi": X[0] * flips, "x": X[0], "W": W}


def learned(X, epochs, margin):
    """Row by row, with x h > margin |w| decided by integers and their squares."""
    n, d = X.shape
    W = np.zeros((d, d))
    for i in range(d):
        others = 1.0 * (np.arange(d) != i)
        for _ in range(epochs):
            for x in X:
                aligned = x[i] * np.sum(W[i] * x)
                if aligned <= 0 or aligned**2 <= margin**2 * np.sum(W[i] ** 2):
                    W[i] += others * x[i] * x
    return W


@law("storage.perceptron", id="GA-3", over=sets(),
     kills=("field not divided by the length of the weights", "weights of a site to itself",
            "all patterns added together", "zero weights taken for stable", "margin ignored",
            "one epoch alone"))
def a_row_of_weights_learns_by_itself(f, X, epochs, margin):
    """w_i <- w_i + x_i x (without i) where x_i w_i.x <= margin |w_i|, in the order of patterns."""
    yield equal(f(X, epochs=epochs, margin=margin), learned(X.value, epochs, margin))


@law("storage.perceptron", id="GA-2", over=records(n=integers(1, 4)),
     kills=("weights of a site to itself", "zero weights taken for stable"))
def as_many_labellings_are_learned_as_are_separable(f, n):
    """n points in general position in three dimensions: 2 sum_(k<3) C(n - 1, k) of the 2^n
    labellings of a fourth site are separable, 14 of 16 for n = 4."""
    points = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])[:n]
    learned = 0
    for label in map(np.array, itertools.product((-1.0, 1.0), repeat=n)):
        W = f(np.column_stack([points, label]), epochs=16)
        learned += bool(np.all(label * (points @ W.value[3, :3] + label * W.value[3, 3]) > 0))
    yield equal(float(learned), 2.0 * sum(math.comb(n - 1, k) for k in range(3)))


@law("classical.update", "storage.perceptron", id="GA-5",
     kills=("W transposed", "zero weights taken for stable"))
def weights_that_are_learned_have_cycles_of_more_than_two_states(f):
    """Four patterns of seven sites, all of them fixed points, and a state that returns after six
    synchronous steps: symmetric weights allow two, so that no energy exists."""
    X = np.array([[-1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0], [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0],
                  [-1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0]])
    W = f.storage.perceptron(X, epochs=50)
    yield equal(f.classical.update(X, W), X, "patterns")
    state = np.array([1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0])
    orbit = [state]
    for _ in range(6):
        orbit.append(f.machine(f.classical.update(orbit[-1], W)))
    yield equal(orbit[6], state, "period")
    yield holds(all(np.any(orbit[k].value != state) for k in range(1, 6)), "no shorter period")


@law("theory.stability", id="GA-3", over=sets(),
     kills=("stability not divided by the length", "stability of the columns"))
def the_stability_is_the_distance_from_a_hyperplane(f, X, epochs, margin):
    """gamma = x_i w_i.x / |w_i| is that of 3 W, and |gamma| <= |x|."""
    W = perceptron(X.value, epochs=epochs, margin=margin) + np.eye(X.shape[1])
    gamma, length = f(X, W), np.sqrt(np.sum(W**2, axis=-1))
    yield equal(gamma * length, X * (X @ W.T))
    yield equal(f(X, 3 * W), gamma, "scaled weights")


@law("classical.update", id="GA-4", over=cues(), kills=("W transposed",))
def flips_are_repaired_where_fields_exceed_their_largest_weights(f, xi, x, W):
    """x_i h_i > 2 (sum of the k largest |w_ij|): k flips leave the sign of the field of i."""
    k = int(np.sum(xi.value != x.value))
    largest = np.sum(np.sort(np.abs(W.value), axis=-1)[:, len(W) - k:], axis=-1)
    sure = x.value * (W.value @ x.value) > 2 * largest
    yield holds((f(xi, W) == x) | ~sure)


@law("theory.perceptron_capacity", id="GA-1", over=records(margin=floats(-6.0, 6.0)),
     kills=("1/(1 + k^2) for every margin",))
def opposite_margins_share_the_second_moment(f, margin):
    """1/alpha(k) + 1/alpha(-k) = 1 + k^2, the integral over all t, and alpha(0) = 2."""
    inverse = [1 / f(k) for k in (margin, -margin)]
    yield equal(rounded(sum(inverse), 64), rounded(1 + margin**2))
    yield equal(rounded(f(0.0)), 2.0, "no margin")


@law("theory.perceptron_capacity", id="GA-2", kills=("1/(1 + k^2) for every margin",))
def half_of_all_labellings_are_separable_at_the_capacity(f):
    """2 sum_(k<d) C(n - 1, k) of the labellings of n points in general position in d dimensions are
    separable: exactly half of 2^n for n = alpha(0) d, for every d."""
    for d in (1, 2, 5, 30):
        half = [n for n in range(1, 4 * d)
                if 4 * sum(math.comb(n - 1, k) for k in range(d)) == 2**n]
        yield equal(rounded(f(0.0) * d), float(*half), f"d = {d}")


@law("theory.perceptron_capacity", id="GA-1", over=records(margin=floats(-3.0, 3.0)),
     kills=("the density left out", "1/(1 + k^2) for every margin", "margin with the wrong sign"))
def the_inverse_capacity_is_an_integral(f, margin):
    """1/alpha(k) = integral of u^2 phi(u - k) over u > 0, by 200 nodes on [0, 12]."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    u = 6 * (nodes + 1)
    value = 6 * np.sum(weights * u**2 * np.exp(-((u - margin) ** 2) / 2)) / np.sqrt(2 * np.pi)
    yield equal(rounded(1 / f(margin), 64), rounded(value, 512))
