"""Bugs of the vector-Jacobian product of gated linear attention."""
import numpy as np

from hopref import maps
from hopref.check.bugs import named, run, wrong_argument, wrong_call
from hopref.check.bugs.gated import full, pair, read

__all__ = []

OP = "gradients.gated.linear_attention"


@wrong_call("cotangent of the final memory ignored", OP)
def final_memory_ignored(op, given):
    return run(op, given | {"g_S": 0 * given["g_S"]})


@wrong_call("with respect to the factor, not its logarithm", OP)
def of_the_factor(op, given):
    gates, *_ = full(given)
    answer = list(run(op, given))
    answer[4] = answer[4] / np.exp(np.maximum(gates, -700.0))
    answer[3] = np.sum(answer[4], axis=-1)
    return tuple(answer)


def errors_of_predictions(op, given):
    """The errors e_t = v_t - S_t^T k_t for the decayed memories."""
    gates, write, S = full(given)
    rows, erase, decay = [given["V"][..., :0, :]], named(op, "rule", given).erased, np.exp(gates)
    for t in range(given["V"].shape[-2]):
        k, v, S = given["K"][..., t, :], given["V"][..., t, :], decay[..., t, :, None] * S
        error = v - erase * read(S, k)
        S = S + pair(k, write[..., t, :] * error)
        rows.append(error[..., None, :])
    return np.concatenate(rows, axis=-2), write


@wrong_call("prediction treated as a constant", OP)
def prediction_as_a_constant(op, given):
    """The errors are the values of the linear rule, whose gradient has no term of predictions."""
    error, write = errors_of_predictions(op, given)
    return run(op, given | {"rule": "linear", "V": error})


@wrong_call("value in place of the error in the strength's gradient", OP)
def strength_by_the_value(op, given):
    error, write = errors_of_predictions(op, given)
    answer = list(run(op, given))
    slope = answer[2] / np.where(write == 0, 1.0, write)
    answer[5] = answer[5] + np.sum((given["V"] - error) * slope, axis=-1)
    return tuple(answer)


@wrong_call("gradients of keys without their query's scale", OP)
def scale_of_the_queries_alone(op, given):
    scale = maps.default_scale(given["scale"], given["K"])
    dQ, *rest, dscale = run(op, given | {"scale": 1.0})
    return scale * dQ, *rest, dscale


REGISTERED = [
    wrong_argument("memory passed in is dropped", OP, S=0.0),
    wrong_argument("rule taken as the linear one", OP, rule="linear"),
]
