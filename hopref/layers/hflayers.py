"""The layers of ml-jku/hopfield-layers as they are: their iteration, and weights of their modules.

Nothing here is the equation of a paper; see `hopref.layers.hopfield` for what differs and why.
"""
import math

import numpy as np

from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import unchecked
from hopref.errors import DomainError, ShapeError
from hopref.layers.weights import Norm, Weights
from hopref.maps import softmax

__all__ = ["weights_of"]


def for_every_head(x, h):
    """Static patterns tiled along the batch and then read head by head: (..., s, e) in all heads.

    With one head or a batch of one nothing is wrong; else head j of sample i gets the patterns of
    sample (i h + j) mod N.
    """
    xp, lead = namespace(x), x.shape[:-2]
    batch = xp.reshape(x, (math.prod(lead), *x.shape[-2:]))
    return xp.reshape(xp.concat([batch] * h, axis=0), (*lead, h, *x.shape[-2:]))


def associations(Q, K, *, beta, per_head, steps, tol, mask, bias, static):
    """Association matrices (..., h, l, s) after at most ``steps`` associations."""
    xp = namespace(Q)
    K_T = xp.matrix_transpose(K)
    first, later = channels(beta, per_head, Q, steps, static)
    how = {"where": mask if mask is True else mask[..., None, :, :], "bias": bias,
           "empty_row": math.nan}
    with unchecked():
        A = softmax(Q * first @ K_T, **how)
        active, done = xp.full((A.shape[-3],), A.size > 0), 1
        while done != steps and bool(xp.any(active)):
            new = softmax((A @ K) * later @ K_T, **how)
            new = xp.where(active[:, None, None], new, A)
            active = active & (largest_change(new, A) > tol)
            A, done = new, done + 1
    return A


def channels(beta, per_head, Q, steps, static):
    """Factors of the channels of a state: at first, and after an association.

    A vector of factors is repeated over the channels of all heads side by side, so that channel c
    has factor c mod h; after an association every head has its channels to itself.
    """
    if not np.ndim(per_head):
        return beta, beta
    h, a = Q.shape[-3], Q.shape[-1]
    if a % h and (static or steps != 1):
        raise ShapeError(f"a must be a multiple of h, or else the published layer fails; got {a} "
                         f"and {h}")
    tiled = beta * np.tile(np.asarray(per_head), a).reshape(h, 1, a)
    alone = beta * np.resize(np.asarray(per_head), a)
    return alone if static else tiled, alone


def largest_change(new, old):
    """The largest Frobenius norm of the change in the batch, one a head."""
    xp = namespace(new)
    away = xp.sqrt(xp.sum((new - old) * (new - old), axis=(-2, -1)))
    return xp.max(xp.reshape(away, (-1, away.shape[-1])), axis=0)


def weights_of(module):
    """What stands for an ``hflayers.Hopfield``: its `Weights`, and keywords for `hopfield`.

    Returns
    -------
    (Weights, dict) : the keywords reproduce the module, ``compat`` among them; leave that one out
        for the clean rule.  Dropout is that of evaluation: none.  ``association_activation`` is
        the caller's.

    Notes
    -----
    Masks are the caller's too: upstream True hides, here True shows, and its masks (N h, l, s) are
    (N, h, l, s) here.  ``update_steps_max = n`` is ``steps=n + 1``, None is None.
    """
    core = module.association_core
    if core.add_zero_attn:
        raise DomainError("hopref.layers.weights_of: the module must add no zero association; "
                          "got add_zero_association=True.")
    h, space = core.num_heads, core.normalize_pattern
    static = (core.query_as_static, core.key_as_static, core.value_as_static)
    W_q, W_k, W_v, b_q, b_k, b_v = projections(core, static)
    scaling, steps = plain(module.scaling), module.update_steps_max
    if np.ndim(plain(steps)) or np.ndim(plain(module.update_steps_eps)):
        raise DomainError("hopref.layers.weights_of: update_steps_max and update_steps_eps must be "
                          "the same for all heads; got a tensor.")
    weights = Weights(
        W_q, W_k, W_v, None if core.out_proj is None else heads_last(core.out_proj.weight, h),
        b_q, b_k, b_v, *given(getattr(core.out_proj, "bias", None)),
        *(norm(getattr(module, f"norm_{name}")) for name in
          ("state_pattern", "stored_pattern", "pattern_projection")),
        Norm(*given(core.p_norm_weight, 1.0), *given(core.p_norm_bias),
             core.normalize_pattern_eps) if space else None)
    per_head = np.ndim(scaling) > 0
    return weights, {
        "heads": h, "beta": 1.0 if per_head else float(scaling), "compat": "hflayers",
        "per_head": scaling if per_head else 1.0, "tol": float(module.update_steps_eps),
        "steps": None if steps is None or steps < 0 else steps + 1,
        "connected": core.value_as_connected}


def projections(core, static):
    """W_q, W_k, W_v, b_q, b_k, b_v of a core; None and 0 where an input is static.

    In one case a static pattern projection is not the same for every head: where the core keeps
    its matrices apart and the keys are static or connected, its channels are dealt out.
    """
    h, apart = core.num_heads, core.in_proj_weight is None
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    blocks = [plain(getattr(core, name)) for name in names]
    if not apart:
        rest, sizes = plain(core.in_proj_weight), [0 if s else h * core.head_dim for s in static]
        blocks = np.split(rest, np.cumsum(sizes)[:-1])
    W = [None if s else W.reshape(h, -1, W.shape[-1]) for s, W in zip(static, blocks, strict=True)]
    b, at = [], 0
    for w in W:
        size = 0 if w is None or core.in_proj_bias is None else w.shape[0] * w.shape[1]
        b.append(plain(core.in_proj_bias)[at:at + size].reshape(h, -1) if size else 0.0)
        at += size
    if static[2] and (static[1] or core.value_as_connected) and not core._qkv_same_embed_dim:
        wide = core.vdim if static[1] else W[1].shape[0] * W[1].shape[1]
        W[2] = np.eye(wide).reshape(h, wide // h, wide)
    return *W, *b


def plain(x):
    """A tensor, or what can be an array, as NumPy; None stays None, a number a number."""
    if x is None or isinstance(x, (int, float)):
        return x
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def given(x, otherwise=0.0):
    """One value to unpack: ``x``, or what stands for None."""
    return [otherwise if x is None else plain(x)]


def norm(module):
    """A LayerNorm as a `Norm`."""
    return None if module is None else Norm(*given(module.weight, 1.0), *given(module.bias),
                                            module.eps)


def heads_last(W, h):
    """(o, h v) as (h, o, v)."""
    W = plain(W)
    return np.moveaxis(W.reshape(len(W), h, -1), 1, 0)
