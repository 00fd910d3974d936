"""Bugs of Hopfield layers: of heads, steps and read-out."""
import numpy as np

from hopref import layers
from hopref.check.bugs import bug, estimated, run, wrong_call
from hopref.maps import default_scale, softmax

__all__ = []

LAYERS = ("layers.associations", "layers.associate")


def spaces(op, given):
    """States and patterns in the association spaces of the heads."""
    if op.name == "layers.associations":
        return given["Q"], given["K"]
    return (layers.project.formula(given[x], given[f"W_{k}"], b=given[f"b_{k}"])
            for x, k in (("R", "q"), ("Y", "k")))


def finished(op, given, A):
    """The result of the operation for the association matrices A."""
    if op.name == "layers.associations":
        return A
    V = layers.project.formula(given["P"], given["W_v"], b=given["b_v"])
    return layers.read_out.formula(A, V, given["W_o"], b=given["b_o"])


def associated(op, given, Q, K, **changes):
    names = ("beta", "per_head", "steps", "mask", "bias", "empty_row")
    return layers.associations.formula(Q, K, **{**{k: given[k] for k in names}, **changes})


# -- the pieces -----------------------------------------------------------------------------------

@bug("squares as they stand", "layers.layer_norm",
     benign="they leave the range of float64 only beyond 1e154")
def squares_as_they_stand(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    away = x - np.mean(x, axis=-1, keepdims=True)
    width = np.sqrt(np.mean(away * away, axis=-1, keepdims=True) + eps)
    return gain * np.where(width > 0, away / np.where(width > 0, width, 1.0), 0.0) + shift


@bug("variance divided by d - 1", "layers.layer_norm")
def unbiased_variance(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    away, d = x - np.mean(x, axis=-1, keepdims=True), x.shape[-1]
    variance = np.sum(away * away, axis=-1, keepdims=True) / max(d - 1, 1)
    return gain * away / np.sqrt(variance + eps) + shift


@estimated("eps is {} in place of the given one", "layers.layer_norm")
def another_eps(op, given, number):
    return run(op, given | {"eps": number})


@bug("eps outside the root", "layers.layer_norm")
def eps_outside_the_root(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    away = x - np.mean(x, axis=-1, keepdims=True)
    return gain * away / (np.std(x, axis=-1, keepdims=True) + eps) + shift


@bug("mean not subtracted", "layers.layer_norm")
def not_centred(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    return gain * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) + shift


@bug("shift before gain", "layers.layer_norm")
def shift_before_gain(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    return gain * (layers.layer_norm.formula(x, eps=eps) + shift)


@wrong_call("bias of the first head", "layers.project")
def bias_of_the_first_head(op, given):
    b = given["b"]
    return run(op, given | {"b": np.zeros_like(b) + b[0]}) if np.ndim(b) else None


@wrong_call("heads interleaved", "layers.project")
def heads_interleaved(op, given):
    h, a, d = given["W"].shape
    mixed = np.reshape(given["W"], (h * a, d)).reshape(a, h, d)
    return run(op, given | {"W": np.swapaxes(mixed, 0, 1)})


@bug("mean of the heads", "layers.read_out")
def heads_averaged(A, V, W, /, *, b=0.0):
    return layers.read_out.formula(A, V, W / len(W), b=b)


@bug("heads interleaved", "layers.read_out")
def output_of_interleaved_heads(A, V, W, /, *, b=0.0):
    H = np.moveaxis(A @ V, -3, -1)
    H = H.reshape(*H.shape[:-2], H.shape[-2] * H.shape[-1])
    return H @ np.concatenate(list(W), axis=-1).T + b


@bug("output bias once a head", "layers.read_out")
def output_bias_of_every_head(A, V, W, /, *, b=0.0):
    return layers.read_out.formula(A, V, W) + len(W) * b


# -- associations: what the published layers do ---------------------------------------------------

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
    """A head stops if no association matrix changes by more than 1e-4 in Frobenius norm."""
    Q, K = spaces(op, given)
    A = associated(op, given, Q, K, steps=1)
    active = np.ones(A.shape[-3], bool)
    for _ in range(given["steps"] - 1):
        new = np.where(active[:, None, None], associated(op, given, A @ K, K, steps=1), A)
        change = np.sqrt(np.sum((new - A) ** 2, axis=(-2, -1))).reshape(-1, len(active))
        active, A = active & (np.max(change, axis=0, initial=0) > 1e-4), new
    return finished(op, given, A)


@wrong_call("heads and samples exchanged", "layers.associations")
def heads_before_samples(op, given):
    K = given["K"]
    if K.ndim < 4:
        return None
    return run(op, given | {"K": np.swapaxes(K, -4, -3).reshape(K.shape)})


# -- associations: other errors -------------------------------------------------------------------

@wrong_call("-1e9 in place of -inf", "layers.associations")
def a_large_negative_number(op, given):
    Q, K, mask = given["Q"], given["K"], given["mask"]
    if mask is True:
        return None
    shape = (*Q.shape[:-1], K.shape[-2])
    hidden = np.broadcast_to(np.where(mask[..., None, :, :], 0.0, -1e9), shape)
    return run(op, given | {"mask": True, "bias": given["bias"] + hidden})


def scale_of(given, K):
    """The inverse temperature of every head, in the shape of its scores."""
    return default_scale(given["beta"], K) * np.reshape(given["per_head"], (-1, 1, 1))


@wrong_call("beta outside the softmax", "layers.associations")
def scaled_after_the_softmax(op, given):
    return scale_of(given, given["K"]) * run(op, given | {"beta": 1.0, "per_head": 1.0})


@wrong_call("beta^2 from the second association on", *LAYERS)
def states_scaled_again(op, given):
    if given["steps"] == 1:
        return None
    Q, K = spaces(op, given)
    first = associated(op, given, Q, K, steps=1)
    again = associated(op, given, first @ K * scale_of(given, K), K, steps=given["steps"] - 1)
    return finished(op, given, again)


@wrong_call("states averaged with the old ones", *LAYERS)
def averaged_with_the_old(op, given):
    Q, K = spaces(op, given)
    A = associated(op, given, Q, K, steps=1)
    for _ in range(given["steps"] - 1):
        Q = (Q + A @ K) / 2
        A = associated(op, given, Q, K, steps=1)
    return finished(op, given, A)


@wrong_call("mask of the first association only", *LAYERS)
def mask_of_the_first_association(op, given):
    if given["steps"] == 1:
        return None
    Q, K = spaces(op, given)
    first = associated(op, given, Q, K, steps=1)
    return finished(op, given, associated(op, given, first @ K, K, steps=given["steps"] - 1,
                                          mask=True, bias=0.0))


@wrong_call("hidden weights zeroed after the softmax", "layers.associations")
def hidden_after_the_softmax(op, given):
    Q, K, mask, bias = (given[k] for k in ("Q", "K", "mask", "bias"))
    seen = (mask if mask is True else mask[..., None, :, :]) & (np.asarray(bias) > -np.inf)
    finite = np.where(np.isfinite(bias), bias, 0.0)
    for _ in range(given["steps"]):
        z = scale_of(given, K) * (Q @ np.swapaxes(K, -1, -2)) + finite
        A = np.where(seen, softmax.formula(z), 0.0)
        Q = A @ K
    return A


# -- the whole ------------------------------------------------------------------------------------

@wrong_call("values of the stored patterns", "layers.associate")
def values_of_the_stored(op, given):
    return run(op, given | {"P": given["Y"]}) if given["Y"].shape == given["P"].shape else None


@wrong_call("values of the pattern before", "layers.associate")
def values_of_the_pattern_before(op, given):
    return run(op, given | {"P": np.roll(given["P"], 1, axis=-2)})


@wrong_call("beta 1 by default", *LAYERS)
def beta_one_by_default(op, given):
    return run(op, given | {"beta": 1.0}) if given["beta"] is None else None


@wrong_call("biases ignored", "layers.associate")
def biases_ignored(op, given):
    return run(op, given | dict.fromkeys(("b_q", "b_k", "b_v", "b_o"), 0.0))


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
