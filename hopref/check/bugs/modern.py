"""Bugs of softmax retrieval and of its energy."""
import math

import numpy as np

from hopref import maps
from hopref.check.bugs import bug, named, run, variant, wrong_argument, wrong_call

__all__ = []

SCORED = ("modern.update", "modern.weights", "modern.thresholded_update", "modern.energy",
          "modern.jacobian", "graded.update", "performer.update", "performer.weights",
          "maps.softmax", "maps.logsumexp", "features.positive", "features.hyperbolic",
          "features.trigonometric")
UPDATES = ("modern.update", "performer.update")
THRESHOLDED = ("modern.thresholded_update", "graded.thresholded_update",
               "performer.thresholded_update")


def softmax(z, beta=1.0):
    return maps.softmax.formula(z, beta=beta)


def half_square(x):
    return np.sum(x * x, axis=-1) / 2


# -- beta -----------------------------------------------------------------------------------------

@wrong_call("beta applied twice", *SCORED)
def beta_applied_twice(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


@wrong_call("beta halved, as in exp(-beta |x - xi|^2 / 4)", "modern.update", "modern.weights")
def beta_halved(op, given):
    return run(op, given | {"beta": given["beta"] / 2})


@wrong_call("beta outside the softmax", "modern.update", "modern.weights", "maps.softmax")
def beta_outside(op, given):
    return given["beta"] * run(op, given | {"beta": 1.0})


@wrong_call("1/sqrt(d) of attention on top of beta", "modern.update", "modern.weights")
def divided_by_root_d(op, given):
    return run(op, given | {"beta": given["beta"] / math.sqrt(given["X"].shape[-1])})


# -- scores and weights ---------------------------------------------------------------------------

@wrong_call("softmax not normalised", "modern.update", "modern.weights")
def not_normalised(op, given):
    z = given["beta"] * (given["xi"] @ given["X"].T)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e if op.name == "modern.weights" else e @ given["X"]


@wrong_call("softmax over the batch of states", "modern.update", "modern.weights")
def softmax_over_states(op, given):
    z = np.atleast_2d(given["xi"] @ given["X"].T)
    p = np.swapaxes(softmax(np.swapaxes(z, -1, -2), given["beta"]), -1, -2)
    p = p.reshape(*given["xi"].shape[:-1], -1)
    return p if op.name == "modern.weights" else p @ given["X"]


@bug("one maximum subtracted from the whole batch", "modern.update")
def one_maximum(xi, X, /, *, beta=1.0):
    z = xi @ X.T
    e = np.exp(beta * (z - np.max(z, initial=-np.inf)))
    return e @ X / np.sum(e, axis=-1, keepdims=True)


@bug("scores -|x - xi|^2/2 in place of x.xi", "modern.update")
def scores_by_distance(xi, X, /, *, beta=1.0):
    return softmax(xi @ X.T - half_square(X), beta) @ X


@bug("scores -sum |x_l - xi_l| in place of x.xi", "modern.update")
def scores_by_coordinates(xi, X, /, *, beta=1.0):
    return softmax(-np.sum(np.abs(xi[..., None, :] - X), axis=-1), beta) @ X


@bug("argmax of the scores at a large beta, the first of ties", "modern.weights")
def first_of_ties(xi, X, /, *, beta=1.0):
    z = xi @ X.T
    first = 1.0 * (np.arange(len(X)) == np.argmax(z, axis=-1)[..., None])
    return softmax(z, beta) if beta < 1e3 else first


# -- states and patterns --------------------------------------------------------------------------

@wrong_call("first pattern counted twice", *UPDATES)
def first_pattern_counted_twice(op, given):
    return run(op, given | {"X": np.concatenate([given["X"][:1], given["X"]])})


@wrong_call("last pattern dropped", *UPDATES)
def last_pattern_dropped(op, given):
    return run(op, given | {"X": given["X"][:-1]}) if len(given["X"]) > 1 else None


@wrong_call("divided by the number of patterns", *UPDATES)
def divided_by_n(op, given):
    return run(op, given) / len(given["X"])


@wrong_call("state added to the answer", *UPDATES)
def state_added(op, given):
    return given["xi"] + run(op, given)


@wrong_call("negative components of the state dropped", *UPDATES)
def state_rectified(op, given):
    return run(op, given | {"xi": np.maximum(given["xi"], 0)})


@wrong_call("state scaled to length 1", *UPDATES)
def state_normalised(op, given):
    length = np.sqrt(2 * half_square(given["xi"]))[..., None]
    return run(op, given | {"xi": given["xi"] / np.maximum(length, 1e-9)})


# -- thresholds -----------------------------------------------------------------------------------

@wrong_call("threshold on the wrong side", *THRESHOLDED)
def threshold_on_the_wrong_side(op, given):
    return run(op, given | {"side": {"above": "below", "below": "above"}[given["side"]]})


@wrong_call("thresholded patterns in the outer product too", *THRESHOLDED)
def thresholded_twice(op, given):
    return run(op, given | {"X": named(op, "side", given)(given["X"], given["theta"])})


@wrong_call("theta itself dropped", *THRESHOLDED)
def theta_itself_dropped(op, given):
    end = -np.inf if given["side"] == "above" else np.inf
    return run(op, given | {"theta": np.nextafter(given["theta"], end)})


# -- energy and Jacobian --------------------------------------------------------------------------

def energy_of(xi, X, beta=1.0, lse=1.0, own=1.0, count=1.0, longest=None):
    """The modern energy with factors of its terms, and another M^2/2."""
    lse = -lse * maps.logsumexp.formula(xi @ X.T, beta=beta)
    longest = np.max(half_square(X)) if longest is None else longest
    return lse + own * half_square(xi) + longest + count * math.log(len(X)) / beta


@bug("energy without 1/beta", "modern.energy")
def energy_without_one_over_beta(xi, X, /, *, beta=1.0):
    return energy_of(xi, X, beta, lse=beta)


@bug("M^2 of the mean length", "modern.energy")
def energy_of_the_mean_length(xi, X, /, *, beta=1.0):
    return energy_of(xi, X, beta, longest=np.mean(half_square(X)))


@bug("M^2 of the first pattern", "modern.energy")
def energy_of_the_first_length(xi, X, /, *, beta=1.0):
    return energy_of(xi, X, beta, longest=half_square(X)[0])


@bug("the four terms as printed", "modern.energy",
     benign="they cancel; the tolerance of an energy is that of its direct form")
def energy_as_printed(xi, X, /, *, beta=1.0):
    return energy_of(xi, X, beta)


@wrong_call("jacobian without beta", "modern.jacobian")
def jacobian_without_beta(op, given):
    return run(op, given) / given["beta"]


@bug("X^T diag(p) X without - p p^T", "modern.jacobian")
def jacobian_not_centred(xi, X, /, *, beta=1.0):
    p = softmax(xi @ X.T, beta)
    return beta * np.swapaxes(p[..., None] * X, -1, -2) @ X


REGISTERED = [
    wrong_argument("beta ignored", *SCORED, "graded.energy", beta=1.0),
    variant("log N with the wrong sign", "modern.energy", energy_of, count=-1.0),
    variant("energy without log N", "modern.energy", energy_of, count=0.0),
    variant("energy without M^2/2", "modern.energy", energy_of, longest=0.0),
    variant("energy without the half", "modern.energy", energy_of, own=2.0),
]
