"""hflayers: the layer Hopfield, with given weights and without norms."""
import numpy as np

from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def published_layer(R, Y, P, W_q, W_k, W_v, W_o, biases, mask, bias, scaling, steps, eps):
    """An hflayers.Hopfield of these weights, without norms: its mask is inverted, n is n + 1."""
    import torch
    from hflayers import Hopfield
    (h, a, d), (_, v, p), (_, o, _) = W_q.shape, W_v.shape, W_o.shape
    if not R.size:
        raise NotOffered("an empty batch")
    lead, (l, s) = R.shape[:-2], (R.shape[-2], Y.shape[-2])
    seen = np.broadcast_to(mask, (*lead, l, s))
    no_rows_empty(seen)
    added = np.where(seen[..., None, :, :], np.broadcast_to(bias, (*lead, h, l, s)), -np.inf)
    no_rows_empty(added > -np.inf)
    R, Y, P = (tensor(x.reshape(-1, *x.shape[-2:])) for x in (R, Y, P))
    with torch.random.fork_rng(devices=()):
        layer = Hopfield(
            input_size=d, hidden_size=a, pattern_size=v, output_size=o, num_heads=h,
            stored_pattern_size=Y.shape[-1], pattern_projection_size=p, scaling=scaling,
            update_steps_max=steps - 1, update_steps_eps=eps,
            **{f"normalize_{of}{affine}": False for affine in ("", "_affine")
               for of in ("stored_pattern", "state_pattern", "pattern_projection")})
    layer = layer.to(R.dtype).eval()
    core, wide = layer.association_core, [W.reshape(-1, W.shape[-1]) for W in (W_q, W_k, W_v)]
    b_q, b_k, b_v, b_o = (np.broadcast_to(b, shape).ravel() for b, shape in
                          zip(biases, ((h, a), (h, a), (h, v), (o,)), strict=True))
    state = {"in_proj_bias": np.concatenate([b_q, b_k, b_v]), "out_proj.bias": b_o,
             "out_proj.weight": np.moveaxis(W_o, 0, 1).reshape(o, h * v),
             **dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), wide, strict=True))}
    if core.in_proj_weight is not None:
        state = {"in_proj_weight": np.concatenate(wide), **{
            k: b for k, b in state.items() if not k.endswith("proj_weight")}}
    core.load_state_dict({k: torch.from_numpy(np.array(b)) for k, b in state.items()})
    masked = {} if mask is True and not np.ndim(bias) else {
        "association_mask": tensor(added.reshape(-1, l, s).astype(R.numpy().dtype))}
    with torch.no_grad():
        Z = layer((Y, R, P), **masked)
    return Z.reshape(*lead, l, o)


def exact_steps(R, Y, P, W_q, W_k, W_v, W_o, *, b_q=0.0, b_k=0.0, b_v=0.0, b_o=0.0, beta=None,
                steps=1, mask=True, bias=0.0):
    """hflayers.Hopfield with one scaling, and a threshold that is reached only at a fixed point."""
    beta = W_k.shape[-2] ** -0.5 if beta is None else beta
    return published_layer(R, Y, P, W_q, W_k, W_v, W_o, (b_q, b_k, b_v, b_o), mask, bias,
                           float(beta), steps, 1e-300)


def stopping_layer(R, Y, P, W_q, W_k, W_v, W_o, *, b_q=0.0, b_k=0.0, b_v=0.0, b_o=0.0, beta=None,
                   steps=1, mask=True, bias=0.0):
    """hflayers.Hopfield with one scaling, and its own threshold."""
    beta = W_k.shape[-2] ** -0.5 if beta is None else beta
    return published_layer(R, Y, P, W_q, W_k, W_v, W_o, (b_q, b_k, b_v, b_o), mask, bias,
                           float(beta), steps, 1e-4)


def scaled_heads(R, Y, P, W_q, W_k, W_v, W_o, *, b_q=0.0, b_k=0.0, b_v=0.0, b_o=0.0, beta=None,
                 per_head=1.0, steps=1, mask=True, bias=0.0):
    """hflayers.Hopfield with a scaling for each head."""
    import torch
    h, a = W_k.shape[:2]
    if a % h and steps > 1:
        raise NotOffered("an association space that heads do not divide")
    beta = a ** -0.5 if beta is None else beta
    scaling = torch.from_numpy(np.asarray(beta * per_head * np.ones(h), R.dtype))
    return published_layer(R, Y, P, W_q, W_k, W_v, W_o, (b_q, b_k, b_v, b_o), mask, bias, scaling,
                           steps, 1e-300)


def tensor(a):
    """A torch tensor that shares the memory if torch supports the strides."""
    import torch
    return torch.from_numpy(a if all(s >= 0 for s in a.strides) else a.copy())


def no_rows_empty(seen):
    """Exclude fully masked rows, for which the layer returns NaN."""
    if not np.all(np.any(seen, axis=-1)):
        raise NotOffered("a fully masked row")


def judged(name, adapter, **fields):
    return Peer(f"hflayers.Hopfield, {name}", "layers.associate", f"{__name__}:{adapter}",
                "hflayers", "hopfield-layers", **fields,
                profile=Profile(mask="True hides, or a bias", empty_row="NaN",
                                scale="1/sqrt(association space of a head)"))


PEERS = (
    judged("one scaling, exact steps", "exact_steps"),
    judged("one scaling", "stopping_layer",
           dtypes=("float64",),      # the omitted steps are below the resolution of float32
           remark="By its default update_steps_eps = 1e-4 a head stops before update_steps_max "
                  "where the largest change over the batch is below it, so that the result for a "
                  "state depends on the other states.  With a small threshold it conforms."),
    judged("a scaling per head", "scaled_heads",
           remark="hopfield_core_forward multiplies q, of the shape (batch and heads, length, "
                  "channels), by scaling.view(1, 1, -1) repeated along the channels: each factor "
                  "belongs to a channel, where the documentation has one for each head."),
)
