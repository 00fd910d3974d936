"""Bugs of the Performer as published: stabilisers, guards and kernel epsilons in other places."""
import math
from functools import partial

import numpy as np

from hopref.check.bugs import named, run, wrong_argument, wrong_call
from hopref.check.bugs.performer import half_square
from hopref.maps import default_scale, feature_scale, masked
from hopref.models import attention

__all__ = []

FEATURES, STABILIZED = "performer.stabilized_features", "performer.stabilized_attention"
GENERALIZED = "performer.generalized_attention"


def features_of(given, x, beta, over, eps, maximum="before the norm", within=False, seen=True):
    x = math.sqrt(beta) * x
    u, half = x @ given["omega"].T, half_square(x)
    among = masked(u if maximum == "before the norm" else u - half, seen, -math.inf)
    top = np.max(among, axis=over, keepdims=True)
    phi = np.exp(u - half - top + eps) if within else np.exp(u - half - top) + eps
    return phi / math.sqrt(len(given["omega"]))


def stabilized_features(op, given, over=None, **wrong):
    over = named(op, "over", given) if over is None else over
    return features_of(given, given["x"], given["beta"], over, given["eps"], **wrong)


@wrong_call("maximum over the rows, not the features", FEATURES)
def maximum_over_the_rows(op, given):
    return stabilized_features(op, given, over=-2) if given["over"] == "row" else None


# -- attention by stabilised features -------------------------------------------------------------

def stabilized(op, given, eps=None, key_axis=(-2, -1), guard=None, seen=None):
    """Stabilised attention with another epsilon, maximum or guarded denominator."""
    seen = given["mask"] if seen is None else seen
    beta = default_scale(given["scale"], given["K"])
    eps = given["eps"] if eps is None else eps
    q = features_of(given, given["Q"], beta, -1, eps)
    k = features_of(given, given["K"], beta, key_axis, eps, seen=seen)
    S, z = attention.key_state.formula(k, given["V"], mask=given["mask"])
    D, guard = q @ z[..., None], guard or (lambda D: D + 2 * given["guard"]
                                           * (np.abs(D) <= given["guard"]))
    D = guard(D)
    return np.where(D == 0, 0.0, q @ S / np.where(D == 0, 1.0, D))


@wrong_call("eps in the denominator only", STABILIZED)
def eps_in_the_denominator(op, given):
    return stabilized(op, given, eps=0.0, guard=lambda D: D + given["eps"])


@wrong_call("guard added once", STABILIZED)
def guard_added_once(op, given):
    return stabilized(op, given, guard=lambda D: D + given["guard"] * (np.abs(D) <= given["guard"]))


@wrong_call("guard added to every denominator", STABILIZED)
def guard_added_everywhere(op, given):
    return stabilized(op, given, guard=lambda D: D + 2 * given["guard"])


# -- attention by activations ---------------------------------------------------------------------

def generalized(op, given, features):
    """Generalised attention with ``features(activation, projections)``."""
    s, f = feature_scale(given["scale"], given["K"]), named(op, "activation", given)
    q, k = (features(f, s * (given[x] @ given["omega"].T)) for x in ("Q", "K"))
    return attention.linear_attention.formula(q, k, given["V"], mask=given["mask"])


@wrong_call("eps inside the activation", GENERALIZED)
def eps_inside_the_activation(op, given):
    return generalized(op, given, lambda f, u: f(u + given["eps"]))


@wrong_call("1/sqrt(m) before eps is added", GENERALIZED)
def one_over_root_m(op, given):
    root = math.sqrt(len(given["omega"]))
    return generalized(op, given, lambda f, u: f(u) / root + given["eps"])


@wrong_call("a sigmoid for ReLU", GENERALIZED)
def sigmoid_for_relu(op, given):
    return run(op, given | {"activation": "sigmoid"}) if given["activation"] == "relu" else None


@wrong_call("scale d^(-1/2) in place of d^(-1/4)", GENERALIZED)
def scale_of_attention(op, given):
    return run(op, given | {"scale": default_scale(given["scale"], given["K"])})


@wrong_call("eps 1e-3 where 0 is given", GENERALIZED)
def eps_of_its_own(op, given):
    return run(op, given | {"eps": given["eps"] or 1e-3})


REGISTERED = [
    wrong_call("maximum taken after the norm is subtracted",
               FEATURES)(partial(stabilized_features, maximum="after the norm")),
    wrong_call("eps in the exponent", FEATURES)(partial(stabilized_features, within=True)),
    wrong_argument("eps ignored", FEATURES, STABILIZED, GENERALIZED, eps=0.0),
    wrong_call("stabiliser per key", STABILIZED)(partial(stabilized, key_axis=-1)),
    wrong_call("maximum over hidden keys too", STABILIZED)(partial(stabilized, seen=True)),
    wrong_argument("guard ignored", STABILIZED, guard=0.0),
    wrong_argument("activation ignored, always relu", GENERALIZED, activation="relu"),
]
