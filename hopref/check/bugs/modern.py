"""Bugs of softmax retrieval and of its energy."""
import math

import numpy as np

from hopref import maps
from hopref.check.bugs import named, run, wrong_call
from hopref.models import modern

__all__ = []

SCORED = ("modern.update", "modern.weights", "modern.thresholded_update", "modern.energy",
          "modern.jacobian", "graded.update", "performer.update", "performer.weights",
          "maps.softmax", "maps.logsumexp", "features.positive", "features.hyperbolic",
          "features.trigonometric")


@wrong_call("beta applied twice", *SCORED)
def beta_applied_twice(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


@wrong_call("beta ignored", *SCORED, "graded.energy")
def beta_ignored(op, given):
    return run(op, given | {"beta": 1.0})


@wrong_call("beta outside the softmax", "modern.update", "modern.weights", "maps.softmax")
def beta_outside(op, given):
    return given["beta"] * run(op, given | {"beta": 1.0})


@wrong_call("softmax not normalised", "modern.update", "modern.weights")
def softmax_not_normalised(op, given):
    z = given["beta"] * (given["xi"] @ given["X"].T)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e if op.name == "modern.weights" else e @ given["X"]


@wrong_call("energy without 1/beta", "modern.energy")
def energy_without_one_over_beta(op, given):
    return energy_of(given, lse=given["beta"])


@wrong_call("energy without log N", "modern.energy")
def energy_without_log_n(op, given):
    return energy_of(given, count=0.0)


@wrong_call("energy without M^2/2", "modern.energy")
def energy_without_longest(op, given):
    return energy_of(given, longest=0.0)


@wrong_call("energy without the half", "modern.energy")
def energy_without_the_half(op, given):
    return energy_of(given, own=2.0)


def energy_of(given, lse=1.0, own=1.0, count=1.0, longest=1.0):
    """The modern energy with its terms weighed."""
    xi, X, beta = given["xi"], given["X"], given["beta"]
    lse = -lse * maps.logsumexp.formula(xi @ X.T, beta=beta)
    half = longest * np.max(np.sum(X * X, axis=-1)) / 2 + count * math.log(len(X)) / beta
    return lse + own * np.sum(xi * xi, axis=-1) / 2 + half


@wrong_call("threshold on the wrong side", "modern.thresholded_update", "graded.thresholded_update",
            "performer.thresholded_update")
def threshold_on_the_wrong_side(op, given):
    return run(op, given | {"side": {"above": "below", "below": "above"}[given["side"]]})


@wrong_call("thresholded patterns in the outer product too", "modern.thresholded_update")
def thresholded_twice(op, given):
    side = named(op, "side", given)
    xi, X = side(given["xi"], given["theta"]), side(given["X"], given["theta"])
    return modern.update.formula(xi, X, beta=given["beta"])


@wrong_call("first pattern counted twice", "modern.update", "performer.update")
def first_pattern_counted_twice(op, given):
    return run(op, given | {"X": np.concatenate([given["X"][:1], given["X"]])})


@wrong_call("last pattern dropped", "modern.update", "performer.update")
def last_pattern_dropped(op, given):
    return run(op, given | {"X": given["X"][:-1]}) if len(given["X"]) > 1 else None


@wrong_call("jacobian without beta", "modern.jacobian")
def jacobian_without_beta(op, given):
    return run(op, given) / given["beta"]
