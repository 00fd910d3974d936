"""Bugs of the continuous classical network."""

import numpy as np

from hopref.check.bugs import bug, named, run, wrong_argument, wrong_call
from hopref.maps import sigmoid, xlog
from hopref.models import classical

__all__ = []


def integrals(op, given, states="xi"):
    """sum_i leak_i G(x_i) / beta."""
    G = named(op, "activation", given).integral
    return np.sum(given["leak"] * G(given[states]), axis=-1) / given["beta"]


# -- updates --------------------------------------------------------------------------------------

@wrong_call("beta applied twice", "graded.asynchronous_update")
def beta_applied_twice(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


@wrong_call("threshold outside the gain", "graded.update")
def threshold_outside_the_gain(op, given):
    return run(op, given | {"b": given["b"] / given["beta"]})


@bug("sigmoid in place of tanh", "graded.update")
def sigmoid_for_tanh(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    return sigmoid(beta * ((xi @ W.T - b) / leak)) if activation == "tanh" else None


@wrong_call("state compared whole", "graded.thresholded_update")
def state_compared_whole(op, given):
    side, f = named(op, "side", given), named(op, "activation", given).f
    X = given["X"]
    return f(given["beta"] * (given["xi"] @ side(X, given["theta"]).T @ X))


@wrong_call("resistance in place of the conductance", "graded.update", "graded.energy")
def resistance_for_conductance(op, given):
    return run(op, given | {"leak": 1 / given["leak"]})


# -- energies -------------------------------------------------------------------------------------

@wrong_call("beta times the integral", "graded.energy")
def beta_times_the_integral(op, given):
    return run(op, given) + (given["beta"] ** 2 - 1) * integrals(op, given)


@wrong_call("integral of one state only", "graded.two_step_energy")
def integral_of_one_state(op, given):
    return run(op, given) - integrals(op, given, "previous")


@bug("integral of f in place of that of its inverse", "graded.energy")
def integral_of_f(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    if activation != "tanh":
        return None
    return classical.energy.formula(xi, W, b) + np.sum(leak * np.log(np.cosh(xi)), axis=-1) / beta


@bug("x artanh x + log(1 - x^2)/2 up to the end of the range", "graded.energy")
def integral_by_artanh(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    if activation != "tanh":
        return None
    xi = np.asarray(xi, dtype=float)        # the digits near 1 are those that float64 loses
    G = xi * np.arctanh(xi) + np.log1p(-xi * xi) / 2
    return classical.energy.formula(xi, W, b) + np.sum(leak * G, axis=-1) / beta


@bug("log(1 + x) and log(1 - x) of rounded sums", "graded.energy",
     benign="digits near 0 are lost; the tolerance is that of sums rounded before the logarithm")
def integral_by_logs(xi, W, b=0.0, /, *, activation="tanh", beta=1.0, leak=1.0):
    if activation != "tanh":
        return None
    G = (xlog(1 + xi) + xlog(1 - xi)) / 2
    return classical.energy.formula(xi, W, b) + np.sum(leak * G, axis=-1) / beta


# -- the flow -------------------------------------------------------------------------------------

@wrong_call("velocity reversed", "graded.flow")
def velocity_reversed(op, given):
    return -run(op, given)


@wrong_call("no decay", "graded.flow")
def no_decay(op, given):
    return run(op, given) + given["leak"] * given["u"] / given["tau"]


REGISTERED = [
    wrong_argument("leak left out", "graded.energy", "graded.update", "graded.two_step_energy",
                   "graded.flow", "gradients.graded.energy", "gradients.graded.update", leak=1.0),
    wrong_argument("beta ignored", "graded.flow", beta=1.0),
    wrong_argument("time constant ignored", "graded.flow", tau=1.0),
]
