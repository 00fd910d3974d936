"""Compatibility with ml-jku/hopfield-layers: the published iteration, and weights of its modules.

This module reproduces code, not an equation of a paper; `hopref.layers.hopfield` describes how the
two differ.
"""
import math
from typing import Any

import numpy as np

from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import unchecked
from hopref.errors import DomainError, ShapeError
from hopref.layers.weights import Norm, Weights
from hopref.maps import for_heads, softmax

__all__ = ["weights_of"]


def for_every_head(x, h):
    """Static patterns (..., s, e) for h heads, tiled along the batch as in the published code.

    Head j of sample i receives the patterns of sample (i h + j) mod N, which is correct only for
    one head or a batch of one.
    """
    xp, lead = namespace(x), x.shape[:-2]
    batch = xp.reshape(x, (math.prod(lead), *x.shape[-2:]))
    return xp.reshape(xp.concat([batch] * h, axis=0), (*lead, h, *x.shape[-2:]))


def associations(Q, K, *, beta, per_head, steps, tol, mask, bias, static):
    """Association matrices (..., h, l, s) after at most ``steps`` associations."""
    xp = namespace(Q)
    K_T = xp.matrix_transpose(K)
    first, later = channels(beta, per_head, Q, steps, static)
    options = {"where": for_heads(mask), "bias": bias,
               "empty_row": math.nan}
    with unchecked():
        A = softmax(Q * first @ K_T, **options)
        active, done = xp.full((A.shape[-3],), A.size > 0), 1
        while done != steps and bool(xp.any(active)):
            new = softmax((A @ K) * later @ K_T, **options)
            new = xp.where(active[:, None, None], new, A)
            active = active & (largest_change(new, A) > tol)
            A, done = new, done + 1
    return A


def channels(beta, per_head, Q, steps, static):
    """Factors of the channels of a state: before the first association, and after it.

    A vector of factors is repeated over the concatenated channels of all heads, so that channel c
    has factor c mod h; after an association it is repeated over the channels of each head.
    """
    if not np.ndim(per_head):
        return beta, beta
    h, a = Q.shape[-3], Q.shape[-1]
    if a % h and (static or steps != 1):
        raise ShapeError(f"a must be a multiple of h, or else the published layer fails; got {a} "
                         f"and {h}")
    over_all_heads = beta * np.tile(np.asarray(per_head), a).reshape(h, 1, a)
    within_each_head = beta * np.resize(np.asarray(per_head), a)
    return within_each_head if static else over_all_heads, within_each_head


def largest_change(new, old):
    """The largest Frobenius norm of the change in the batch, one for each head."""
    xp = namespace(new)
    change = xp.sqrt(xp.sum((new - old) * (new - old), axis=(-2, -1)))
    return xp.max(xp.reshape(change, (-1, change.shape[-1])), axis=0)


def weights_of(module: Any) -> tuple[Weights, dict[str, Any]]:
    """Weights and options that reproduce a module of hflayers.

    Parameters
    ----------
    module : ``hflayers.Hopfield``

    Returns
    -------
    weights : Weights
    options : dict, keyword arguments of `hopfield`.  With ``compat`` they reproduce the module;
        without it the layer follows the equations of the paper.

    Raises
    ------
    DomainError : the module adds a zero association, or its heads stop by different criteria

    Notes
    -----
    The dropout of the module is ignored, as in evaluation, and its ``association_activation`` must
    be applied by the caller.  Masks must be converted: True hides in hflayers and shows in hopref,
    and a mask (N h, l, s) has the shape (N, h, l, s) in hopref.  ``update_steps_max = n``
    corresponds to ``steps=n + 1``, and None to None.
    """
    core = module.association_core
    if core.add_zero_attn:
        raise DomainError("hopref.layers.weights_of: the module must add no zero association; "
                          "got add_zero_association=True.")
    h, space = core.num_heads, core.normalize_pattern
    static = (core.query_as_static, core.key_as_static, core.value_as_static)
    W_q, W_k, W_v, b_q, b_k, b_v = projections(core, static)
    scaling, steps = as_numpy(module.scaling), module.update_steps_max
    if np.ndim(as_numpy(steps)) or np.ndim(as_numpy(module.update_steps_eps)):
        raise DomainError("hopref.layers.weights_of: update_steps_max and update_steps_eps must be "
                          "the same for all heads; got a tensor.")
    weights = Weights(
        W_q, W_k, W_v,
        None if core.out_proj is None else one_for_each_head(core.out_proj.weight, h),
        b_q, b_k, b_v, number_or_array(getattr(core.out_proj, "bias", None), 0.0),
        *(norm(getattr(module, f"norm_{name}")) for name in
          ("state_pattern", "stored_pattern", "pattern_projection")),
        Norm(number_or_array(core.p_norm_weight, 1.0), number_or_array(core.p_norm_bias, 0.0),
             core.normalize_pattern_eps) if space else None)
    per_head = np.ndim(scaling) > 0
    return weights, {
        "heads": h, "beta": 1.0 if per_head else float(scaling), "compat": "hflayers",
        "per_head": scaling if per_head else 1.0, "tol": float(module.update_steps_eps),
        "steps": None if steps is None or steps < 0 else steps + 1,
        "connected": core.value_as_connected}


def projections(core, static):
    """W_q, W_k, W_v, b_q, b_k, b_v of a core; None and 0 where an input is static.

    A static pattern projection is the same for every head except in one case: where the core has
    separate matrices and the keys are static or connected, its channels are divided among the
    heads.
    """
    h, separate = core.num_heads, core.in_proj_weight is None
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    blocks = [as_numpy(getattr(core, name)) for name in names]
    if not separate:
        joint = as_numpy(core.in_proj_weight)
        sizes = [0 if s else h * core.head_dim for s in static]
        blocks = np.split(joint, np.cumsum(sizes)[:-1])
    W = [None if s else W.reshape(h, -1, W.shape[-1]) for s, W in zip(static, blocks, strict=True)]
    b, at = [], 0
    for w in W:
        size = 0 if w is None or core.in_proj_bias is None else w.shape[0] * w.shape[1]
        b.append(as_numpy(core.in_proj_bias)[at:at + size].reshape(h, -1) if size else 0.0)
        at += size
    if static[2] and (static[1] or core.value_as_connected) and not core._qkv_same_embed_dim:
        width = core.vdim if static[1] else W[1].shape[0] * W[1].shape[1]
        W[2] = np.eye(width).reshape(h, width // h, width)
    return *W, *b


def as_numpy(x):
    """A tensor or an array as a NumPy array; None and numbers are returned unchanged."""
    if x is None or isinstance(x, (int, float)):
        return x
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def number_or_array(x, default):
    """``x`` as an array, or the default if it is None."""
    return default if x is None else as_numpy(x)


def norm(module):
    """A LayerNorm as a `Norm`; None stays None."""
    return None if module is None else Norm(number_or_array(module.weight, 1.0),
                                            number_or_array(module.bias, 0.0), module.eps)


def one_for_each_head(W, h):
    """An output matrix (o, h v) as one matrix for each head, (h, o, v)."""
    W = as_numpy(W)
    return np.moveaxis(W.reshape(len(W), h, -1), 1, 0)
