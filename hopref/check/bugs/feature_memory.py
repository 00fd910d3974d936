"""Bugs of the memory of random features."""
import numpy as np

from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

SUMS, ENERGY, UPDATE = (f"feature_memory.{name}" for name in ("log_sums", "energy", "update"))


@wrong_call("half of the square", ENERGY)
def half_of_the_square(op, given):
    return run(op, given) - np.sum(given["xi"] ** 2, axis=-1) / 2


@wrong_call("energy without 1/beta", ENERGY)
def energy_without_one_over_beta(op, given):
    square = np.sum(given["xi"] ** 2, axis=-1)
    return square + given["beta"] * (run(op, given) - square)


@wrong_call("full step without the state", UPDATE)
def without_the_state(op, given):
    return run(op, given) - (1 - 2 * given["step"]) * given["xi"]


@wrong_call("step without 1/sqrt(beta)", UPDATE)
def without_the_root(op, given):
    own = (1 - 2 * given["step"]) * given["xi"]
    return own + np.sqrt(given["beta"]) * (run(op, given) - own)


@wrong_call("features of beta x", SUMS, ENERGY, UPDATE)
def features_of_beta_x(op, given):
    """sqrt(beta) is replaced by beta in the products with the directions."""
    root = np.sqrt(given["beta"])
    if op.name == UPDATE:
        own = (1 - 2 * given["step"]) * given["xi"]
        wrong = run(op, given | {"omega": root * given["omega"]})
        return own + (wrong - own) / root
    return run(op, given | {"omega": root * given["omega"]})


@wrong_call("sums ignored", ENERGY, UPDATE)
def sums_ignored(op, given):
    return run(op, given | {"log_sums": 0 * given["log_sums"]})


@wrong_call("one sign of the features", ENERGY, UPDATE)
def one_sign(op, given):
    """Directions and their negatives differ in the sign of their first component."""
    first = given["omega"][:, :1]
    return run(op, given | {"omega": np.where(first < 0, -1.0, 1.0) * given["omega"]})


@wrong_call("log m missing", SUMS)
def log_m_missing(op, given):
    return run(op, given) + np.log(len(given["omega"]))


@wrong_call("log m twice", SUMS)
def log_m_twice(op, given):
    return run(op, given) - np.log(len(given["omega"]))


@wrong_call("mean of features", SUMS)
def mean_of_features(op, given):
    return run(op, given) - np.log(len(given["X"]))


@wrong_call("the other kernel", SUMS)
def the_other_kernel(op, given):
    other = {"exponential": "gaussian", "gaussian": "exponential"}
    return run(op, given | {"kernel": other[given["kernel"]]})


@wrong_call("sums of logs", SUMS)
def sums_of_logs(op, given):
    logs = [run(op, given | {"X": x[None]}) for x in given["X"]]
    return np.sum(logs, axis=0)


REGISTERED = [wrong_argument("step ignored", UPDATE, step=0.5)]
