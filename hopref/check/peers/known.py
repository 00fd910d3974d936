"""Functions of other packages, each in an adapter with the signature of an operation.

They are judged like any candidate, in separate processes; packages that are not installed are
listed as skipped.  If the contract of a function differs by design, its adapter states how.
"""
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np

from hopref.check.engine.candidate import NotOffered

__all__ = ["PEERS", "Peer", "WITHOUT_OP"]


@dataclass(frozen=True)
class Peer:
    """A function of another package, its number formats, and its arithmetic if that differs."""
    name: str
    package: str
    function: str
    like: str
    dtypes: tuple = ("float64", "float32")
    within: dict = field(default_factory=dict)

    @property
    def installed(self):
        return find_spec(self.package) is not None

    @property
    def target(self):
        return f"hopref.check.peers.known:{self.function}"


def heads(*arrays):
    """(..., l, d) as (batch, heads, l, d)."""
    lead = arrays[0].shape[:-2]
    if len(lead) > 2:
        raise NotOffered(f"{len(lead)} leading axes")
    return [a.reshape((1,) * (2 - len(lead)) + a.shape) for a in arrays]


def tensor(a):
    """A torch tensor that shares the memory if torch supports the strides."""
    import torch
    return torch.from_numpy(a if all(s >= 0 for s in a.strides) else a.copy())


def no_rows_empty(seen):
    """Exclude fully masked rows, for which Torch and JAX return NaN or the mean."""
    if not np.all(np.any(seen, axis=-1)):
        raise NotOffered("a fully masked row")


def torch_attention(Q, K, V, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    """torch.nn.functional.scaled_dot_product_attention; its causal mask is aligned to the start."""
    import torch
    lead = Q.shape[:-2]
    if causal and align == "end" and Q.shape[-2] != K.shape[-2]:
        raise NotOffered("causal, aligned to the end")
    if causal and (mask is not True or np.ndim(bias)):
        raise NotOffered("causal with a mask")
    Q, K, V = map(tensor, heads(Q, K, V))
    extra = None
    if mask is not True or np.ndim(bias):
        seen = np.broadcast_to(mask, (*lead, Q.shape[-2], K.shape[-2]))
        no_rows_empty(seen)
        extra = np.where(seen, bias, -np.inf).astype(Q.numpy().dtype) if np.ndim(bias) else seen
        extra = torch.from_numpy(np.array(heads(extra)[0]))
    Z = torch.nn.functional.scaled_dot_product_attention(
        Q, K, V, attn_mask=extra, is_causal=causal, scale=scale)
    return Z.reshape(*lead, *Z.shape[-2:])


def torch_layer_norm(x, *, gain=1.0, shift=0.0, eps=1e-5):
    """torch.nn.functional.layer_norm."""
    import torch
    affine = {k: tensor(a) for k, a in (("weight", gain), ("bias", shift)) if np.ndim(a)}
    return torch.nn.functional.layer_norm(tensor(x), x.shape[-1:], eps=eps, **affine)


def jax_in_double():
    import jax
    jax.config.update("jax_enable_x64", True)
    return jax


def jax_attention(Q, K, V, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    """jax.nn.dot_product_attention, (B, T, N, H); its causal mask is aligned to the start.

    Its values must have the dimension of the keys: others are padded with zeros, or split.
    """
    jax, d = jax_in_double(), Q.shape[-1]
    lead = Q.shape[:-2]
    if not Q.size:
        raise NotOffered("an empty batch")
    if V.shape[-1] != d:
        options = dict(scale=scale, mask=mask, bias=bias, causal=causal, align=align)
        wide = np.zeros((*V.shape[:-1], d * -(-V.shape[-1] // d)), V.dtype)
        wide[..., :V.shape[-1]] = V
        pieces = [jax_attention(Q, K, wide[..., i:i + d], **options)
                  for i in range(0, wide.shape[-1], d)]
        return jax.numpy.concatenate(pieces, axis=-1)[..., :V.shape[-1]]
    if causal and align == "end" and Q.shape[-2] != K.shape[-2]:
        raise NotOffered("causal, aligned to the end")
    seen = np.broadcast_to(mask, (*lead, Q.shape[-2], K.shape[-2])) if mask is not True else None
    if seen is not None:
        no_rows_empty(seen)
    added = np.broadcast_to(bias, (*lead, Q.shape[-2], K.shape[-2])) if np.ndim(bias) else None
    q, k, v = (a.swapaxes(1, 2) for a in heads(Q, K, V))
    Z = jax.nn.dot_product_attention(
        q, k, v, bias=None if added is None else heads(added)[0],
        mask=None if seen is None else heads(seen)[0], scale=scale, is_causal=causal)
    return Z.swapaxes(1, 2).reshape(*lead, Z.shape[1], Z.shape[-1])


def jax_softmax_attention(Q, K, V, *, scale=None):
    """Attention in the usual form of JAX code: jax.nn.softmax of scaled scores, times values."""
    jax = jax_in_double()
    q, k, v = map(jax.numpy.asarray, (Q, K, V))
    z = q @ jax.numpy.swapaxes(k, -1, -2) * (Q.shape[-1] ** -0.5 if scale is None else scale)
    return jax.nn.softmax(z, axis=-1) @ v


def scipy_softmax(z, *, beta=1.0):
    """scipy.special.softmax of beta z."""
    from scipy.special import softmax
    return softmax(z.dtype.type(beta) * z, axis=-1)


def scipy_logsumexp(z, *, beta=1.0):
    """scipy.special.logsumexp of beta z, divided by beta."""
    from scipy.special import logsumexp
    return np.asarray(logsumexp(z.dtype.type(beta) * z, axis=-1) / z.dtype.type(beta))


def sklearn_rbf(x, y, m, *, rng):
    """sklearn.kernel_approximation.RBFSampler: estimates of exp(-|x - y|^2 / 2)."""
    from sklearn.kernel_approximation import RBFSampler
    sampler = RBFSampler(gamma=0.5, n_components=m, random_state=rng).fit(x)
    return np.sum(sampler.transform(x) * sampler.transform(y), axis=-1)


def favor_kernels(Q, K, omega, scale):
    """Features of performer_pytorch, which scales by d^(-1/4); Q and K contain the other factor."""
    from performer_pytorch.performer_pytorch import softmax_kernel
    more = 1.0 if scale is None else (scale * Q.shape[-1] ** 0.5) ** 0.5
    q, k = (tensor(np.asarray(a * more, a.dtype)) for a in heads(Q, K))
    omega = tensor(omega)
    return (softmax_kernel(q, projection_matrix=omega, is_query=True),
            softmax_kernel(k, projection_matrix=omega, is_query=False))


def favor_attention(Q, K, V, omega, *, scale=None, features="positive"):
    """performer_pytorch.FastAttention with a fixed projection."""
    if features != "positive":
        raise NotOffered(f"features={features}")
    from performer_pytorch.performer_pytorch import linear_attention
    phi_q, phi_k = favor_kernels(Q, K, omega, scale)
    Z = linear_attention(phi_q, phi_k, tensor(heads(V)[0]))
    return Z.reshape(*Q.shape[:-1], V.shape[-1])


def favor_causal_attention(Q, K, V, omega, *, scale=None, features="positive"):
    """performer_pytorch's causal attention, the form without CUDA."""
    if features != "positive":
        raise NotOffered(f"features={features}")
    from performer_pytorch.performer_pytorch import causal_linear_attention_noncuda
    phi_q, phi_k = favor_kernels(Q, K, omega, scale)
    Z = causal_linear_attention_noncuda(phi_q, phi_k, tensor(heads(V)[0]))
    return Z.reshape(*Q.shape[:-1], V.shape[-1])


def favor_linear_attention(phi_q, phi_k, V):
    """performer_pytorch.linear_attention on given features."""
    from performer_pytorch.performer_pytorch import linear_attention
    Z = linear_attention(*map(tensor, heads(phi_q, phi_k, V)))
    return Z.reshape(*phi_q.shape[:-1], V.shape[-1])


def favor_projection(m, d, *, rng):
    """performer_pytorch.gaussian_orthogonal_random_matrix."""
    import torch
    from performer_pytorch.performer_pytorch import gaussian_orthogonal_random_matrix
    torch.manual_seed(rng)
    return gaussian_orthogonal_random_matrix(m, d)


def entmax_map(name, z, where, **options):
    """A map of the entmax package, which returns NaN, or raises, for a fully masked row."""
    import entmax
    seen = np.isfinite(z) if where is True else np.isfinite(z) & where
    no_rows_empty(seen)
    if not z.size:
        raise NotOffered("an empty batch")
    z = np.where(seen, z, -np.inf).astype(z.dtype)
    return getattr(entmax, name)(tensor(z), dim=-1, **options)


def entmax_sparsemax(z, *, beta=1.0, where=True):
    """entmax.sparsemax of beta z, by sorting."""
    return entmax_map("sparsemax", z.dtype.type(beta) * z, where)


def entmax_entmax(z, *, beta=1.0, alpha=1.5, where=True):
    """entmax.entmax15 of beta z at alpha = 1.5, entmax.entmax_bisect elsewhere."""
    z = z.dtype.type(beta) * z
    if alpha == 1:
        raise NotOffered("alpha = 1, the softmax")
    if alpha == 1.5:
        return entmax_map("entmax15", z, where)
    return entmax_map("entmax_bisect", z, where, alpha=alpha)


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
    layer = Hopfield(
        input_size=d, hidden_size=a, pattern_size=v, output_size=o, num_heads=h,
        stored_pattern_size=Y.shape[-1], pattern_projection_size=p, scaling=scaling,
        update_steps_max=steps - 1, update_steps_eps=eps,
        **{f"normalize_{of}{affine}": False for affine in ("", "_affine")
           for of in ("stored_pattern", "state_pattern", "pattern_projection")}).to(R.dtype).eval()
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


PEERS = (
    Peer("torch scaled_dot_product_attention", "torch", "torch_attention",
         "attention.softmax_attention"),
    Peer("jax.nn.dot_product_attention", "jax", "jax_attention", "attention.softmax_attention",
         within={"float64": "float64-single"}),       # "softmax is always computed in float32"
    Peer("jax.nn.softmax attention", "jax", "jax_softmax_attention", "attention.softmax_attention"),
    Peer("scipy.special.softmax", "scipy", "scipy_softmax", "maps.softmax"),
    Peer("entmax.sparsemax", "entmax", "entmax_sparsemax", "maps.sparsemax"),
    Peer("entmax.entmax15 and entmax_bisect", "entmax", "entmax_entmax", "maps.entmax"),
    Peer("scipy.special.logsumexp", "scipy", "scipy_logsumexp", "maps.logsumexp"),
    Peer("sklearn RBFSampler", "sklearn", "sklearn_rbf", "estimators.gaussian", ("float64",)),
    Peer("torch layer_norm", "torch", "torch_layer_norm", "layers.layer_norm"),
    Peer("hflayers.Hopfield, one scaling, exact steps", "hflayers", "exact_steps",
         "layers.associate"),
    Peer("hflayers.Hopfield, one scaling", "hflayers", "stopping_layer", "layers.associate",
         ("float64",)),         # the omitted steps are below the resolution of single precision
    Peer("hflayers.Hopfield, a scaling per head", "hflayers", "scaled_heads", "layers.associate"),
    Peer("performer-pytorch attention", "performer_pytorch", "favor_attention",
         "performer.attention"),
    Peer("performer-pytorch causal attention", "performer_pytorch", "favor_causal_attention",
         "performer.causal_attention"),
    Peer("performer-pytorch linear_attention", "performer_pytorch", "favor_linear_attention",
         "attention.linear_attention"),
    Peer("performer-pytorch projection", "performer_pytorch", "favor_projection",
         "projections.orthogonal", ("float32",)),
)
WITHOUT_OP = {}     # package: the reason for which no operation can judge it yet
