"""Bugs of Hopfield layers: what heads, steps and read-out mix up."""
import numpy as np

from hopref import layers
from hopref.check.hypotheses import hypothesis, run
from hopref.maps import default_scale

__all__ = []

LAYERS = ("layers.associations", "layers.associate")


def spaces(op, it):
    """States and patterns in the association spaces of the heads."""
    if op.name == "layers.associations":
        return it["Q"], it["K"]
    return (layers.project.formula(it[x], it[f"W_{k}"], b=it[f"b_{k}"])
            for x, k in (("R", "q"), ("Y", "k")))


def finished(op, it, A):
    """What the op answers once the associations are A."""
    if op.name == "layers.associations":
        return A
    V = layers.project.formula(it["P"], it["W_v"], b=it["b_v"])
    return layers.read_out.formula(A, V, it["W_o"], b=it["b_o"])


def associated(op, it, Q, K, **changes):
    names = ("beta", "per_head", "steps", "mask", "bias", "empty_row")
    return layers.associations.formula(Q, K, **{**{k: it[k] for k in names}, **changes})


@hypothesis("a factor per head tiled over channels", *LAYERS)
def tiled_over_channels(op, it):
    if not np.ndim(it["per_head"]):
        return None
    Q, K = spaces(op, it)
    h, a = K.shape[-3], K.shape[-1]
    root = np.sqrt(np.resize(it["per_head"], h * a).reshape(h, 1, a))
    return finished(op, it, associated(op, it, Q * root, K * root, per_head=1.0,
                                       beta=default_scale(it["beta"], K)))


@hypothesis("one association too many", *LAYERS)
def one_association_too_many(op, it):
    return run(op, it | {"steps": it["steps"] + 1})


@hypothesis("one association too few", *LAYERS)
def one_association_too_few(op, it):
    return None if it["steps"] == 1 else run(op, it | {"steps": it["steps"] - 1})


@hypothesis("a head stops by the largest change in the batch", *LAYERS)
def stopped_by_the_largest_change(op, it):
    """Once no association matrix changes by more than 1e-4 in Frobenius norm."""
    Q, K = spaces(op, it)
    A = associated(op, it, Q, K, steps=1)
    active = np.ones(A.shape[-3], bool)
    for _ in range(it["steps"] - 1):
        new = np.where(active[:, None, None], associated(op, it, A @ K, K, steps=1), A)
        change = np.sqrt(np.sum((new - A) ** 2, axis=(-2, -1))).reshape(-1, len(active))
        active, A = active & (np.max(change, axis=0, initial=0) > 1e-4), new
    return finished(op, it, A)


@hypothesis("what is read out iterates", "layers.associate")
def what_is_read_out_iterates(op, it):
    Q, K = spaces(op, it)
    V = layers.project.formula(it["P"], it["W_v"], b=it["b_v"])
    if V.shape[-1] != K.shape[-1] or it["steps"] == 1:
        return None
    A = associated(op, it, Q, K, steps=1)
    for _ in range(it["steps"] - 1):
        A = associated(op, it, A @ V, K, steps=1)
    return finished(op, it, A)
