"""Bugs of the forward passes of Hopfield layers."""
import numpy as np

from hopref import layers
from hopref.check.bugs import bug, variant
from hopref.layers.weights import NO_WEIGHTS

__all__ = []


def side_by_side(x):
    return np.concatenate(list(np.moveaxis(x, -3, 0)), axis=-1)


@bug("state normalised after the projection", "layers.hopfield")
def normalised_after_the_projection(R, Y, P, weights=NO_WEIGHTS, /, **how):
    """The norm of the state is applied in the association space."""
    late = weights.norm_space if weights.norm_state is None else \
        layers.Norm(eps=weights.norm_state.eps)
    return layers.hopfield(R, Y, P, weights._replace(norm_state=None, norm_space=late), **how)


@bug("norm of the stored for the projection", "layers.hopfield")
def norm_of_the_stored_for_the_projection(R, Y, P, weights=NO_WEIGHTS, /, **how):
    norm = weights.norm_stored if Y.shape[-1] == P.shape[-1] else layers.Norm()
    return layers.hopfield(R, Y, P, weights._replace(norm_projection=norm), **how)


@bug("normalised at every step", "layers.hopfield")
def normalised_at_every_step(R, Y, P, weights=NO_WEIGHTS, /, *, steps=1, connected=False, **how):
    w = weights
    if w.norm_space is None or how:
        return layers.hopfield(R, Y, P, w, steps=steps, connected=connected, **how)
    Q, K = layers.project(R, w.W_q, b=w.b_q), layers.project(Y, w.W_k, b=w.b_k)
    P = side_by_side(layers.project(P, w.W_k, b=w.b_k)) if connected else P
    K = layers.layer_norm(K, eps=w.norm_space.eps)
    for _ in range(steps):
        A = layers.associations(layers.layer_norm(Q, eps=w.norm_space.eps), K)
        Q = A @ K
    return layers.read_out(A, layers.project(P, w.W_v, b=w.b_v), w.W_o, b=w.b_o)


@bug("connected projection without its bias", "layers.hopfield")
def connected_without_its_bias(R, Y, P, weights=NO_WEIGHTS, /, *, connected=False, **how):
    P = side_by_side(layers.project(P, weights.W_k)) if connected else P
    return layers.hopfield(R, Y, P, weights, **how)


@bug("1/sqrt(a) though nothing is projected", "layers.hopfield")
def always_over_the_root_of_a(R, Y, P, weights=NO_WEIGHTS, /, *, beta=None, **how):
    if beta is None and weights is NO_WEIGHTS:
        beta = R.shape[-1] ** -0.5
    return layers.hopfield(R, Y, P, weights, beta=beta, **how)


@bug("mean factor for every head", "layers.hopfield")
def mean_factor_for_every_head(R, Y, P, weights=NO_WEIGHTS, /, *, per_head=1.0, **how):
    per_head = np.full_like(per_head, np.mean(per_head)) if np.ndim(per_head) else per_head
    return layers.hopfield(R, Y, P, weights, per_head=per_head, **how)


@bug("key mask inverted", "layers.hopfield")
def key_mask_inverted(R, Y, P, weights=NO_WEIGHTS, /, *, key_mask=True, **how):
    key_mask = key_mask if key_mask is True else ~key_mask
    return layers.hopfield(R, Y, P, weights, key_mask=key_mask, **how)


@bug("padding hides values only", "layers.hopfield")
def padding_hides_values_only(R, Y, P, weights=NO_WEIGHTS, /, *, key_mask=True, **how):
    P = P if key_mask is True else np.where(key_mask[..., None], P, 0.0)
    return layers.hopfield(R, Y, P, weights, **how)


@bug("stored patterns of the first sample", "layers.hopfield_pooling")
def stored_of_the_first_sample(Y, P, states, weights=NO_WEIGHTS, /, **how):
    Y = np.broadcast_to(Y[:1], Y.shape)
    return layers.hopfield_pooling(Y, P, states, weights, **how)


@bug("targets ignored", "layers.hopfield_layer")
def targets_ignored(R, lookup, targets=None, weights=NO_WEIGHTS, /, **how):
    """Applies if the lookup has the shape of the targets."""
    same = targets is None or lookup.shape == targets.shape
    return layers.hopfield_layer(R, lookup, lookup if same else targets, weights, **how)


REGISTERED = [
    variant("one update", "layers.iterate", layers.iterate, max_steps=1),
    variant("mask ignored", "layers.iterate", layers.iterate, mask=True),
]
