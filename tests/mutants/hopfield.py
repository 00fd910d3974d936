"""Hopfield layers, wrong on purpose: the published layers' habits, and plausible slips."""
import numpy as np

from hopref import layers
from hopref.maps import softmax
from tests.mutants import mutant


def turned(K):
    return np.swapaxes(K, -1, -2)


def visible(mask):
    return mask if mask is True else mask[..., None, :, :]


def scale_of(beta, per_head, K):
    beta = K.shape[-1] ** -0.5 if beta is None else beta
    return beta * np.ones((K.shape[-3], 1, 1)) * np.reshape(per_head, (-1, 1, 1))


# -- the pieces ---------------------------------------------------------------------------------

@mutant("layers.layer_norm")
def layer_norm_squares_overflow(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    """squares as they stand"""
    away = x - x.mean(-1, keepdims=True)
    width = np.sqrt((away * away).mean(-1, keepdims=True) + eps)
    return gain * np.where(width > 0, away / np.where(width > 0, width, 1.0), 0.0) + shift


@mutant("layers.layer_norm")
def unbiased_variance(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    """divided by d - 1"""
    away = x - x.mean(-1, keepdims=True)
    return gain * away / np.sqrt(x.var(-1, ddof=1, keepdims=True) + eps) + shift


@mutant("layers.layer_norm")
def eps_outside_the_root(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    """(x - mean) / (sd + eps)"""
    away = x - x.mean(-1, keepdims=True)
    return gain * away / (x.std(-1, keepdims=True) + eps) + shift


@mutant("layers.layer_norm")
def not_centred(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    """the root mean square alone"""
    return gain * x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) + shift


@mutant("layers.layer_norm")
def shift_before_gain(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    """g (n + t)"""
    return gain * (layers.layer_norm(x, eps=eps) + shift)


@mutant("layers.project")
def bias_of_the_first_head(x, W, /, *, b=0.0):
    """every head adds b of head 0"""
    return layers.project(x, W) + (b if np.ndim(b) == 0 else b[0])


@mutant("layers.project")
def heads_interleaved(x, W, /, *, b=0.0):
    """channel c of head h is channel c h + h of the matrix"""
    h, a, d = W.shape
    return layers.project(x, W.reshape(h * a, d).reshape(a, h, d).swapaxes(0, 1), b=b)


@mutant("layers.read_out")
def heads_averaged(A, V, W, /, *, b=0.0):
    """mean over heads"""
    return layers.read_out(A, V, W / len(W), b=b)


@mutant("layers.read_out")
def output_of_interleaved_heads(A, V, W, /, *, b=0.0):
    """head and channel mixed up before the output projection"""
    H = np.moveaxis(A @ V, -3, -1)
    H = H.reshape(*H.shape[:-2], -1)
    return H @ np.concatenate(list(W), axis=-1).T + b


@mutant("layers.read_out")
def output_bias_of_every_head(A, V, W, /, *, b=0.0):
    """b once a head"""
    return layers.read_out(A, V, W) + len(W) * b


# -- associations: what the published layers do -------------------------------------------------

@mutant("layers.associations")
def per_head_tiled_over_channels(Q, K, /, *, beta=None, per_head=1.0, steps=1, **how):
    """factor c mod h for channel c"""
    h, a = K.shape[-3], K.shape[-1]
    tiled = np.resize(per_head * np.ones(h), h * a).reshape(h, 1, a)
    return layers.associations(Q * np.sqrt(tiled), K * np.sqrt(tiled), steps=steps,
                               beta=a**-0.5 if beta is None else beta, **how)


@mutant("layers.associations")
def steps_plus_one(Q, K, /, *, steps=1, **how):
    """update_steps_max = n makes n + 1 associations"""
    return layers.associations(Q, K, steps=steps + 1, **how)


@mutant("layers.associations")
def stopped_by_the_largest_change(Q, K, /, *, steps=1, **how):
    """a head stops once its association matrices change by less than 0.5 in Frobenius norm"""
    A = layers.associations(Q, K, **how)
    active = np.ones(A.shape[-3], bool)
    for i in range(2, steps + 1):
        new = layers.associations(Q, K, steps=i, **how)
        new = np.where(active[:, None, None], new, A)
        change = np.sqrt(((new - A) ** 2).sum((-1, -2))).reshape(-1, len(active)).max(0)
        active, A = active & (change > 0.5), new
    return A


@mutant("layers.associations")
def static_order(Q, K, /, **how):
    """patterns tiled along the batch are read as if heads came first"""
    if Q.ndim == 3:
        return layers.associations(Q, K, **how)
    mixed = np.swapaxes(K, 0, 1).reshape(K.shape)
    return layers.associations(Q, mixed, **how)


@mutant("layers.associations")
def true_is_forbidden(Q, K, /, *, mask=True, **how):
    """True hides"""
    return layers.associations(Q, K, mask=mask if mask is True else ~mask, **how)


@mutant("layers.associations")
def blind_states_are_nan(Q, K, /, *, empty_row="zeros", **how):
    """NaN where nothing is seen"""
    return layers.associations(Q, K, empty_row="nan", **how)


# -- associations: slips ------------------------------------------------------------------------

@mutant("layers.associations")
def blind_states_take_the_mean(Q, K, /, *, mask=True, **how):
    """a large negative number in place of -inf"""
    bias = np.where(visible(mask), 0.0, -1e9) * np.ones((*Q.shape[:-1], K.shape[-2]))
    return layers.associations(Q, K, bias=bias, **how)


@mutant("layers.associations")
def scaled_after_the_softmax(Q, K, /, *, beta=None, per_head=1.0, **how):
    """beta outside"""
    return scale_of(beta, per_head, K) * layers.associations(Q, K, beta=1.0, **how)


@mutant("layers.associations")
def states_scaled_again(Q, K, /, *, beta=None, per_head=1.0, steps=1, **how):
    """beta^2 from the second association on"""
    first = layers.associations(Q, K, beta=beta, per_head=per_head, **how)
    if steps == 1:
        return first
    scale = scale_of(beta, per_head, K)
    return layers.associations(first @ K * scale, K, beta=beta, per_head=per_head,
                               steps=steps - 1, **how)


@mutant("layers.associations")
def state_averaged_with_the_old(Q, K, /, *, steps=1, **how):
    """q' = (q + A K) / 2"""
    A = layers.associations(Q, K, **how)
    for _ in range(steps - 1):
        Q = (Q + A @ K) / 2
        A = layers.associations(Q, K, **how)
    return A


@mutant("layers.associations")
def mask_of_the_first_association(Q, K, /, *, mask=True, bias=0.0, steps=1, **how):
    """later associations see everything"""
    A = layers.associations(Q, K, mask=mask, bias=bias, **how)
    return A if steps == 1 else layers.associations(A @ K, K, steps=steps - 1, **how)


@mutant("layers.associations")
def hidden_after_the_softmax(Q, K, /, *, mask=True, bias=0.0, beta=None, per_head=1.0, steps=1):
    """weights of hidden patterns set to 0"""
    seen = visible(mask) & (np.asarray(bias) > -np.inf)
    for _ in range(steps):
        A = np.where(seen, softmax(scale_of(beta, per_head, K) * (Q @ turned(K))), 0.0)
        Q = A @ K
    return A


# -- the whole ----------------------------------------------------------------------------------

@mutant("layers.associate")
def what_is_read_out_iterates(R, Y, P, W_q, W_k, W_v, W_o, /, *, b_q=0.0, b_k=0.0, b_v=0.0,
                              b_o=0.0, steps=1, **how):
    """the state is overwritten by projected values, where they fit"""
    Q, K = layers.project(R, W_q, b=b_q), layers.project(Y, W_k, b=b_k)
    V = layers.project(P, W_v, b=b_v)
    A = layers.associations(Q, K, **how)
    for _ in range(steps - 1):
        A = layers.associations(A @ V if V.shape[-1] == K.shape[-1] else A @ K, K, **how)
    return layers.read_out(A, V, W_o, b=b_o)


@mutant("layers.associate")
def values_of_the_keys(R, Y, P, W_q, W_k, W_v, W_o, /, **how):
    """values are taken from the stored patterns, where they fit"""
    return layers.associate(R, Y, Y if Y.shape == P.shape else P, W_q, W_k, W_v, W_o, **how)


@mutant("layers.associate")
def associate_without_scale(R, Y, P, W_q, W_k, W_v, W_o, /, *, beta=None, **how):
    """beta is 1"""
    return layers.associate(R, Y, P, W_q, W_k, W_v, W_o, beta=1.0, **how)


@mutant("layers.associate")
def values_out_of_step(R, Y, P, W_q, W_k, W_v, W_o, /, **how):
    """values of the pattern before"""
    return layers.associate(R, Y, np.roll(P, 1, axis=-2), W_q, W_k, W_v, W_o, **how)


# -- forward passes -----------------------------------------------------------------------------

def side_by_side(x):
    return np.concatenate(list(np.moveaxis(x, -3, 0)), axis=-1)


@mutant("layers.hopfield")
def normalised_after_the_projection(R, Y, P, weights, /, **how):
    """the norm of the state in the association space"""
    late = None if weights.norm_state is None else layers.Norm(eps=weights.norm_state.eps)
    return layers.hopfield(R, Y, P, weights._replace(norm_state=None, norm_space=late), **how)


@mutant("layers.hopfield")
def norm_of_the_stored_for_the_projection(R, Y, P, weights, /, **how):
    """one norm for both, where it fits"""
    same = Y.shape[-1] == P.shape[-1]
    norm = weights.norm_stored if same else layers.Norm()
    return layers.hopfield(R, Y, P, weights._replace(norm_projection=norm), **how)


@mutant("layers.hopfield")
def normalised_at_every_step(R, Y, P, w, /, *, steps=1, connected=False, **how):
    """every new state is normalised too"""
    Q, K = layers.project(R, w.W_q, b=w.b_q), layers.project(Y, w.W_k, b=w.b_k)
    if connected:
        P = side_by_side(layers.project(P, w.W_k, b=w.b_k))
    K = layers.layer_norm(K, eps=w.norm_space.eps)
    for _ in range(steps):
        A = layers.associations(layers.layer_norm(Q, eps=w.norm_space.eps), K)
        Q = A @ K
    return layers.read_out(A, layers.project(P, w.W_v, b=w.b_v), w.W_o, b=w.b_o)


@mutant("layers.hopfield")
def connected_without_its_bias(R, Y, P, weights, /, *, connected=False, **how):
    """W_v W_k P + b_v"""
    if connected:
        P = side_by_side(layers.project(P, weights.W_k))
    return layers.hopfield(R, Y, P, weights, **how)


@mutant("layers.hopfield")
def always_over_the_root_of_a(R, Y, P, weights=layers.Weights(), /, *, beta=None, **how):  # noqa: B008
    """1/sqrt(a) though nothing is projected"""
    beta = R.shape[-1] ** -0.5 if beta is None else beta
    return layers.hopfield(R, Y, P, weights, beta=beta, **how)


@mutant("layers.hopfield")
def static_heads_share_the_scores(R, Y, P, weights=layers.Weights(), /, *, per_head=1.0, **how):  # noqa: B008
    """every head has the mean factor"""
    return layers.hopfield(R, Y, P, weights, per_head=np.mean(per_head) * np.ones_like(per_head)
                           if np.ndim(per_head) else per_head, **how)


@mutant("layers.hopfield")
def key_mask_inverted(R, Y, P, weights, /, *, key_mask=True, **how):
    """True is padding"""
    return layers.hopfield(R, Y, P, weights, key_mask=key_mask if key_mask is True else ~key_mask,
                           **how)


@mutant("layers.hopfield")
def padding_hides_values_only(R, Y, P, weights, /, *, key_mask=True, **how):
    """P is set to 0, the softmax sees all"""
    P = P if key_mask is True else np.where(key_mask[..., None], P, 0.0)
    return layers.hopfield(R, Y, P, weights, **how)


@mutant("layers.hopfield_pooling")
def states_of_the_first_sample(Y, P, states, weights, /, **how):
    """every set is pooled as the first"""
    return layers.hopfield_pooling(np.broadcast_to(Y[:1], Y.shape), P, states, weights, **how)


@mutant("layers.hopfield_layer")
def targets_ignored(R, lookup, targets, weights, /, **how):
    """the lookup is read out, where it fits"""
    fits = targets is None or lookup.shape == targets.shape
    return layers.hopfield_layer(R, lookup, lookup if fits else targets, weights, **how)


@mutant("layers.settle")
def settled_after_one_step(R, Y, P, /, **how):
    """one update"""
    return layers.settle(R, Y, P, max_steps=1, **how)


@mutant("layers.settle")
def settled_without_the_mask(R, Y, P, /, *, mask=True, **how):
    """every state sees everything"""
    return layers.settle(R, Y, P, **how)
