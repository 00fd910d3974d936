"""Bugs of softmax retrieval and of its energy."""
import math

import numpy as np

from hopref import maps
from hopref.check.hypotheses import hypothesis, named, run
from hopref.models import modern

__all__ = []

SCORED = ("modern.update", "modern.weights", "modern.thresholded_update", "modern.energy",
          "modern.jacobian", "graded.update", "performer.update", "performer.weights",
          "maps.softmax", "maps.logsumexp", "features.positive", "features.hyperbolic",
          "features.trigonometric")


@hypothesis("beta applied twice", *SCORED)
def beta_applied_twice(op, it):
    return run(op, it | {"beta": it["beta"] ** 2})


@hypothesis("beta ignored", *SCORED, "graded.energy")
def beta_ignored(op, it):
    return run(op, it | {"beta": 1.0})


@hypothesis("beta outside the softmax", "modern.update", "modern.weights", "maps.softmax")
def beta_outside(op, it):
    return it["beta"] * run(op, it | {"beta": 1.0})


@hypothesis("softmax not normalised", "modern.update", "modern.weights")
def softmax_not_normalised(op, it):
    z = it["beta"] * (it["xi"] @ it["X"].T)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e if op.name == "modern.weights" else e @ it["X"]


@hypothesis("energy without 1/beta", "modern.energy")
def energy_without_one_over_beta(op, it):
    return energy_of(it, lse=it["beta"])


@hypothesis("energy without log N", "modern.energy")
def energy_without_log_n(op, it):
    return energy_of(it, count=0.0)


@hypothesis("energy without M^2/2", "modern.energy")
def energy_without_longest(op, it):
    return energy_of(it, longest=0.0)


@hypothesis("energy without the half", "modern.energy")
def energy_without_the_half(op, it):
    return energy_of(it, own=2.0)


def energy_of(it, lse=1.0, own=1.0, count=1.0, longest=1.0):
    """The modern energy with its terms weighed."""
    xi, X, beta = it["xi"], it["X"], it["beta"]
    lse = -lse * maps.logsumexp.formula(xi @ X.T, beta=beta)
    half = longest * np.max(np.sum(X * X, axis=-1)) / 2 + count * math.log(len(X)) / beta
    return lse + own * np.sum(xi * xi, axis=-1) / 2 + half


@hypothesis("threshold on the wrong side", "modern.thresholded_update", "graded.thresholded_update",
            "performer.thresholded_update")
def threshold_on_the_wrong_side(op, it):
    return run(op, it | {"side": {"above": "below", "below": "above"}[it["side"]]})


@hypothesis("thresholded patterns in the outer product too", "modern.thresholded_update")
def thresholded_twice(op, it):
    side = named(op, "side", it)
    xi, X = side(it["xi"], it["theta"]), side(it["X"], it["theta"])
    return modern.update.formula(xi, X, beta=it["beta"])


@hypothesis("first pattern counted twice", "modern.update", "performer.update")
def first_pattern_counted_twice(op, it):
    return run(op, it | {"X": np.concatenate([it["X"][:1], it["X"]])})


@hypothesis("last pattern dropped", "modern.update", "performer.update")
def last_pattern_dropped(op, it):
    return run(op, it | {"X": it["X"][:-1]}) if len(it["X"]) > 1 else None


@hypothesis("jacobian without beta", "modern.jacobian")
def jacobian_without_beta(op, it):
    return run(op, it) / it["beta"]
