"""Bugs of feature maps: heights, constants, signs, logarithms."""
import math
from functools import partial

import numpy as np

from hopref.check.bugs import bug, run, variant, wrong_call
from hopref.check.bugs.performer import half_square
from hopref.features import deterministic, exponential

__all__ = []

PLAIN = ("features.positive", "features.hyperbolic", "features.trigonometric")
EXPONENTIAL = ("features.gerf", "features.derf")


# -- constants ------------------------------------------------------------------------------------

@wrong_call("1/sqrt(m) missing", *PLAIN, "features.relu", *EXPONENTIAL,
            "performer.stabilized_features")
def feature_count_missing(op, given):
    return run(op, given) * math.sqrt(len(given["omega"]))


@wrong_call("1/sqrt(2m) in place of 1/sqrt(m)", "features.trigonometric")
def one_over_root_of_all_features(op, given):
    return run(op, given) / math.sqrt(2)


@wrong_call("1/sqrt(m) in place of 1/sqrt(2m)", "features.hyperbolic")
def one_over_root_of_the_rows(op, given):
    return run(op, given) * math.sqrt(2)


@wrong_call("1/sqrt(l m) in place of 1/sqrt(m)", "features.general")
def one_over_root_of_all_functions(op, given):
    return run(op, given) / math.sqrt(len(given["functions"]))


@wrong_call("features of the functions interleaved", "features.general")
def interleaved(op, given):
    phi = run(op, given)
    parts = phi.reshape(*phi.shape[:-1], len(given["functions"]), len(given["omega"]))
    return np.swapaxes(parts, -1, -2).reshape(phi.shape)


@wrong_call("beta x in place of sqrt(beta) x", *EXPONENTIAL)
def beta_without_its_root(op, given):
    return run(op, given | {"x": given["beta"] * given["x"], "beta": 1.0})


# -- heights --------------------------------------------------------------------------------------

def higher(op, given, halves):
    """Features with ``halves`` times beta |x|^2 / 2 added to their exponent."""
    return run(op, given) * np.exp(halves * given["beta"] * half_square(given["x"]))


@wrong_call("|x|^2/2 with the wrong sign", *PLAIN)
def height_with_the_wrong_sign(op, given):
    return higher(op, given, -2 if op.name == "features.trigonometric" else 2)


@wrong_call("omega x itself, not rectified", "features.relu")
def not_rectified(op, given):
    return given["x"] @ given["omega"].T / math.sqrt(len(given["omega"]))


@wrong_call("1e-3 added to every feature", "features.relu")
def relu_eps(op, given):
    return run(op, given) + 1e-3


# -- logarithms -----------------------------------------------------------------------------------

LOGS = ("features.log_positive", "features.log_hyperbolic", "features.log_gerf")


@wrong_call("|x|^2/2 missing", *LOGS)
def log_height_missing(op, given):
    return run(op, given) + given["beta"] * half_square(given["x"])


@wrong_call("maximum subtracted", *LOGS)
def maximum_subtracted(op, given):
    log = run(op, given)
    return log - np.max(log, axis=-1, keepdims=True)


@wrong_call("logarithm of the exponential", *LOGS, "features.log_derf")
def logarithm_of_the_exponential(op, given):
    return np.log(np.exp(run(op, given)))


@wrong_call("signs all +1", "features.log_trigonometric", "features.log_general")
def signs_lost(op, given):
    log, sign = run(op, given)
    return log, np.ones_like(sign)


# -- quadratic exponents --------------------------------------------------------------------------

@wrong_call("factor (1 - 4A)^(d/4) missing", *EXPONENTIAL)
def determinant_missing(op, given):
    a = given["a"] if "a" in given else np.full(given["x"].shape[-1], given["A"])
    return run(op, given) / np.prod(1 - 4 * a) ** 0.25


@wrong_call("factor (1 - 4A)^(d/2), that of the product", "features.gerf")
def determinant_of_the_product(op, given):
    return run(op, given) * (1 - 4 * given["A"]) ** (given["x"].shape[-1] / 4)


@bug("B = 1 in place of sqrt(1 - 4A)", "features.gerf")
def projections_unscaled(x, omega, /, *, A=0.0, beta=1.0):
    log = exponential.log_gerf.formula(x / math.sqrt(1 - 4 * A), omega, A=A, beta=beta)
    return np.exp(log + beta * half_square(x) * (1 / (1 - 4 * A) - 1))


@bug("C = -1/2 whatever B is", "features.derf")
def height_of_x(x, omega, a, B, /, *, beta=1.0):
    y = x @ B.T / np.sqrt(1 - 4 * a)
    log = exponential.log_derf.formula(x, omega, a, B, beta=beta)
    return np.exp(log + beta * (half_square(y) - half_square(x)))


@wrong_call("B transposed", "features.derf", "features.log_derf")
def transposed(op, given):
    return run(op, given | {"B": given["B"].T})


@bug("x^T C x missing", "features.log_derf")
def quadratic_term_missing(x, omega, a, B, /, *, beta=1.0):
    log = exponential.log_derf.formula(x, omega, a, B, beta=beta)
    return log + beta * half_square(x @ B.T / np.sqrt(1 - 4 * a))


# -- maps without projections ---------------------------------------------------------------------

@bug("elu without the one", "features.deterministic.elu")
def elu_itself(x, /):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


@bug("1 added to e^x - 1, which cancels below 0", "features.deterministic.elu", rounding=True)
def elu_cancels(x, /):
    x = x.astype(np.float64) if x.dtype == np.longdouble else x
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0))) + x.dtype.type(1)


@bug("branches exchanged", "features.deterministic.elu")
def elu_of_the_other_sign(x, /):
    return np.where(x < 0, 1 - x, np.exp(-np.maximum(x, 0)))


@bug("e^(-x)", "features.deterministic.exponential")
def decaying(x, /):
    return np.exp(-x)


@bug("slope 0.01 below zero", "features.deterministic.relu")
def leaking(x, /, *, eps=0.0):
    return np.where(x > 0, x, 0.01 * x) + eps


@bug("rows scaled to length 1", "features.deterministic.identity")
def normalised(x, /):
    return x / np.maximum(np.sqrt(2 * half_square(x)), 1e-9)


@bug("squares of the components alone", "features.deterministic.quadratic")
def squares_alone(x, /):
    return np.concatenate([x * x] * x.shape[-1], axis=-1)


@bug("softmax over the features", "features.deterministic.softmax_keys")
def softmax_over_features(K, /):
    e = np.exp(K - np.max(K, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@bug("exponentials not normalised", "features.deterministic.softmax_keys")
def not_normalised(K, /):
    return np.exp(K - np.max(K, axis=-2, keepdims=True, initial=-1e300))


REGISTERED = [
    wrong_call("exp(-|x|^2/2) missing", *PLAIN[:2])(partial(higher, halves=1)),
    wrong_call("exp(|x|^2/2) missing", "features.trigonometric")(partial(higher, halves=-1)),
    wrong_call("height of the Gaussian kernel", *PLAIN[:2],
               "features.gerf")(partial(higher, halves=-1)),
    variant("eps ignored", "features.deterministic.relu", deterministic.relu.formula, eps=0.0),
]
