"""Bugs of Hopfield layers: what heads, steps and read-out mix up."""
import numpy as np

from hopref import layers
from hopref.check.bugs import run, wrong_call
from hopref.maps import default_scale

__all__ = []

LAYERS = ("layers.associations", "layers.associate")


def spaces(op, given):
    """States and patterns in the association spaces of the heads."""
    if op.name == "layers.associations":
        return given["Q"], given["K"]
    return (layers.project.formula(given[x], given[f"W_{k}"], b=given[f"b_{k}"])
            for x, k in (("R", "q"), ("Y", "k")))


def finished(op, given, A):
    """What the op answers once the associations are A."""
    if op.name == "layers.associations":
        return A
    V = layers.project.formula(given["P"], given["W_v"], b=given["b_v"])
    return layers.read_out.formula(A, V, given["W_o"], b=given["b_o"])


def associated(op, given, Q, K, **changes):
    names = ("beta", "per_head", "steps", "mask", "bias", "empty_row")
    return layers.associations.formula(Q, K, **{**{k: given[k] for k in names}, **changes})


@wrong_call("a factor per head tiled over channels", *LAYERS)
def tiled_over_channels(op, given):
    if not np.ndim(given["per_head"]):
        return None
    Q, K = spaces(op, given)
    h, a = K.shape[-3], K.shape[-1]
    root = np.sqrt(np.resize(given["per_head"], h * a).reshape(h, 1, a))
    return finished(op, given, associated(op, given, Q * root, K * root, per_head=1.0,
                                       beta=default_scale(given["beta"], K)))


@wrong_call("one association too many", *LAYERS)
def one_association_too_many(op, given):
    return run(op, given | {"steps": given["steps"] + 1})


@wrong_call("one association too few", *LAYERS)
def one_association_too_few(op, given):
    return None if given["steps"] == 1 else run(op, given | {"steps": given["steps"] - 1})


@wrong_call("a head stops by the largest change in the batch", *LAYERS)
def stopped_by_the_largest_change(op, given):
    """Once no association matrix changes by more than 1e-4 in Frobenius norm."""
    Q, K = spaces(op, given)
    A = associated(op, given, Q, K, steps=1)
    active = np.ones(A.shape[-3], bool)
    for _ in range(given["steps"] - 1):
        new = np.where(active[:, None, None], associated(op, given, A @ K, K, steps=1), A)
        change = np.sqrt(np.sum((new - A) ** 2, axis=(-2, -1))).reshape(-1, len(active))
        active, A = active & (np.max(change, axis=0, initial=0) > 1e-4), new
    return finished(op, given, A)


@wrong_call("what is read out iterates", "layers.associate")
def what_is_read_out_iterates(op, given):
    Q, K = spaces(op, given)
    V = layers.project.formula(given["P"], given["W_v"], b=given["b_v"])
    if V.shape[-1] != K.shape[-1] or given["steps"] == 1:
        return None
    A = associated(op, given, Q, K, steps=1)
    for _ in range(given["steps"] - 1):
        A = associated(op, given, A @ V, K, steps=1)
    return finished(op, given, A)
