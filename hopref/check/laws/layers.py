"""Laws of Hopfield layers."""
import numpy as np

from hopref import layers
from hopref.check.laws import equal, law

SLOW = 32.0             # patterns so much shorter move states that much less
BIASES = {"b_q", "b_k", "b_v", "b_o", "per_head"}


def plain(options):
    """Whether nothing is hidden or added."""
    return not {"mask", "bias", "empty_row"} & set(options)


@law("layers.associations", id="HL-2",
     kills=("a head stops by the largest change in the batch",))
def associations_follow_one_another(f, Q, K, *, steps=1, **options):
    """A_5 of Q is A_2 of the state after three, though slow patterns hardly move any more."""
    if plain(options):
        K = K / SLOW
        state = f.exact(layers.associations, Q, K, steps=3, **options) @ K
        yield equal(f(state, K, steps=2, **options), f(Q, K, steps=5, **options))


@law("layers.associate", id="HL-2",
     kills=("a head stops by the largest change in the batch",))
def a_layer_takes_all_its_steps(f, R, Y, P, W_q, W_k, W_v, W_o, *, steps=1, **options):
    """The first head, five steps on, is two steps on from its state after three."""
    if not plain(options) or BIASES & set(options):
        return
    Y, W_q, W_k, W_v, W_o = Y / SLOW, W_q[:1], W_k[:1], W_v[:1], W_o[:1]
    Q, K = (f.exact(layers.project, x, W) for x, W in ((R, W_q), (Y, W_k)))
    state = f.exact(layers.associations, Q, K, steps=3, **options) @ K
    still = np.eye(W_k.shape[-2])[None]
    yield equal(f(state[..., 0, :, :], Y, P, still, W_k, W_v, W_o, steps=2, **options),
                f(R, Y, P, W_q, W_k, W_v, W_o, steps=5, **options))


@law("layers.associations", id="HL-2", kills=("a factor per head tiled over channels",))
def heads_know_nothing_of_each_other(f, Q, K, *, per_head=1.0, **options):
    """The first head of several is that head alone."""
    h = K.shape[-3]
    if h < 2 or not plain(options) or np.ndim(per_head):
        return
    factors = np.asarray(2.0 ** -np.arange(h))
    both = f(Q, K, per_head=factors, **options)[..., 1:2, :, :]
    yield equal(both, f(Q[..., 1:2, :, :], K[..., 1:2, :, :], per_head=factors[1:2], **options))


@law("layers.associate", id="MH-13", kills=("what is read out iterates",))
def what_is_read_out_has_no_part_in_the_iteration(f, R, Y, P, W_q, W_k, W_v, W_o, **options):
    """Twice the value projection, without biases, is twice the output."""
    if plain(options) and not BIASES & set(options):
        yield equal(f(R, Y, P, W_q, W_k, 2 * W_v, W_o, **options),
                    2 * f(R, Y, P, W_q, W_k, W_v, W_o, **options))
