"""Bugs of two layers with Lagrangians."""
import numpy as np

from hopref.check.bugs import named, run, wrong_argument, wrong_call

__all__ = []


def layers(op, given):
    return named(op, "visible", given), named(op, "hidden", given)


@wrong_call("beta applied twice in the hidden layer", "lagrangian.update")
def hidden_beta_twice(op, given):
    visible, hidden = layers(op, given)
    g = visible.g(given["v"], given["beta"])
    return hidden.g(g @ given["X"].T, given["beta"] ** 2) @ given["X"]


@wrong_call("hidden softmax not normalised", "lagrangian.update")
def hidden_not_normalised(op, given):
    if given["hidden"] != "softmax":
        return None
    g = layers(op, given)[0].g(given["v"], given["beta"])
    return np.exp(given["beta"] * (g @ given["X"].T)) @ given["X"]


@wrong_call("tanh without its gain", "lagrangian.update")
def tanh_without_its_gain(op, given):
    if given["visible"] != "tanh":
        return None
    return layers(op, given)[1].g(np.tanh(given["v"]) @ given["X"].T, given["beta"]) @ given["X"]


@wrong_call("visible Lagrangian in place of its Legendre transform", "lagrangian.reduced_energy")
def lagrangian_for_its_transform(op, given):
    g = layers(op, given)[0].g(given["v"], given["beta"])
    return run(op, given) - np.sum(given["v"] * g, axis=-1)


@wrong_call("hidden Lagrangian without 1/beta", "lagrangian.reduced_energy")
def hidden_without_one_over_beta(op, given):
    visible, hidden = layers(op, given)
    if given["hidden"] != "softmax":
        return None
    L = hidden.L(visible.g(given["v"], given["beta"]) @ given["X"].T, given["beta"])
    return run(op, given) - (given["beta"] - 1) * L


@wrong_call("log cosh without 1/beta", "lagrangian.reduced_energy")
def log_cosh_without_one_over_beta(op, given):
    if given["visible"] != "tanh":
        return None
    return run(op, given) - (given["beta"] - 1) * layers(op, given)[0].L(given["v"], given["beta"])


@wrong_call("hidden term left out", "lagrangian.energy")
def hidden_term_left_out(op, given):
    hidden, h, beta = layers(op, given)[1], given["h"], given["beta"]
    return run(op, given) - (np.sum(h * hidden.g(h, beta), axis=-1) - hidden.L(h, beta))


@wrong_call("synaptic term halved", "lagrangian.energy")
def synaptic_term_halved(op, given):
    visible, hidden = layers(op, given)
    g, f = visible.g(given["v"], given["beta"]), hidden.g(given["h"], given["beta"])
    return run(op, given) + np.sum(f * (g @ given["X"].T), axis=-1) / 2


@wrong_call("visible term with the wrong sign", "lagrangian.energy")
def visible_term_reversed(op, given):
    visible, v, beta = layers(op, given)[0], given["v"], given["beta"]
    return run(op, given) - 2 * (np.sum(v * visible.g(v, beta), axis=-1) - visible.L(v, beta))


@wrong_call("time constants exchanged", "lagrangian.flow")
def time_constants_exchanged(op, given):
    return run(op, given | {"tau_v": given["tau_h"], "tau_h": given["tau_v"]})


@wrong_call("no decay of the visible layer", "lagrangian.flow")
def no_decay_of_the_visible_layer(op, given):
    dv, dh = run(op, given)
    return dv + given["v"] / given["tau_v"], dh


# -- the catalogue of Lagrangians -----------------------------------------------------------------

POTENTIAL, OUTPUT, LEGENDRE = (f"lagrangian.{name}" for name in ("potential", "output", "legendre"))
WITH_BETA = ("exponential", "rectified_exponential", "tanh", "sigmoid", "softmax", "ghostmax")


@wrong_call("beta applied twice", POTENTIAL, OUTPUT, LEGENDRE)
def layer_with_beta_twice(op, given):
    beta = given["beta"]
    return run(op, given | {"beta": beta * beta}) if given["layer"] in WITH_BETA else None


@wrong_call("L without 1/beta", POTENTIAL)
def potential_without_one_over_beta(op, given):
    return given["beta"] * run(op, given) if given["layer"] in WITH_BETA else None


@wrong_call("L in place of x.g - L", LEGENDRE)
def lagrangian_for_the_energy(op, given):
    layer = named(op, "layer", given)(given["n"], given["gain"], given["eps"])
    return layer.L(given["x"], given["beta"])


@wrong_call("output of another sign", OUTPUT)
def output_of_another_sign(op, given):
    return -run(op, given)


@wrong_call("norms of neurons that are not centred", POTENTIAL, OUTPUT)
def layer_norm_without_its_mean(op, given):
    if given["layer"] != "layer_norm":
        return None
    d = given["x"].shape[-1]
    unscaled = run(op, given | {"layer": "spherical", "eps": d * given["eps"]})
    return np.sqrt(d) * unscaled


@wrong_call("the zero of ghostmax left out", POTENTIAL, OUTPUT, LEGENDRE)
def ghostmax_without_its_zero(op, given):
    return run(op, given | {"layer": "softmax"}) if given["layer"] == "ghostmax" else None


REGISTERED = [
    wrong_argument("degree ignored", POTENTIAL, OUTPUT, LEGENDRE, n=2),
    wrong_argument("gain ignored", POTENTIAL, OUTPUT, LEGENDRE, gain=1.0),
    wrong_argument("eps ignored", POTENTIAL, OUTPUT, LEGENDRE, eps=0.0),
]
