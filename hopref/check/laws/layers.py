"""Laws of the operations of Hopfield layers; those of forward passes are in `laws.forward`."""
import numpy as np

from hopref import layers, maps
from hopref.check.cases.draws import arrays, integers, records, sampled
from hopref.check.cases.layers import projections, spaces
from hopref.check.laws import equal, law
from hopref.models import modern

SLOW = 32.0             # patterns so much shorter move states that much less
BIASES = {"b_q", "b_k", "b_v", "b_o", "per_head"}


def plain(options):
    """Whether nothing is hidden or added."""
    return not {"mask", "bias", "empty_row"} & set(options)


def concat_heads(x):
    """Concatenated heads."""
    return np.concatenate([x[h] for h in range(len(x))], axis=-1)


# -- the pieces -----------------------------------------------------------------------------------

@law("layers.layer_norm", id="HL-1",
     over=records(x=arrays(2, 4), gain=arrays(4), shift=arrays(4), eps=sampled([0.125, 1.0])),
     kills=("variance divided by d - 1", "eps outside the root", "mean not subtracted",
            "shift before gain"))
def layer_norm_leaves_mean_zero_and_the_variance_that_eps_allows(f, x, gain, shift, eps):
    """The mean of y is 0 and that of y^2 is w / (w + eps); gain and shift follow."""
    y, w = f(x, eps=eps), np.var(x, axis=-1)
    yield equal(np.mean(y, axis=-1), 0.0, "mean")
    yield equal(np.mean(y * y, axis=-1), w / (w + eps), "variance")
    yield equal(f(x, eps=eps, gain=gain, shift=shift), gain * y + shift, "gain and shift")


@law("layers.layer_norm", id="HL-1",
     over=records(x=arrays(2, 3), eps=sampled([0.125, 1.0]), k=integers(-20, 20)),
     kills=("eps outside the root",))
def a_layer_norm_does_not_depend_on_the_unit(f, x, eps, k):
    """The norm of c x with c^2 eps is that of x with eps; c is a power of two.

    The format must hold the squares of eighths up to 4, from c^2/64 to the sum 48 c^2.
    """
    if 4.0**k / 64 < f.profile.eta or 48 * 4.0**k > f.profile.most:
        return
    yield equal(f(2.0**k * x, eps=4.0**k * eps), f(x, eps=eps))


@law("layers.project", id="MH-13",
     over=records(x=arrays(2, 3, 2), W=arrays(2, 4, 2), b=arrays(2, 4)),
     kills=("bias of the first head", "heads interleaved"))
def a_head_projects_with_its_own_matrix(f, x, W, b):
    """q_h = x W_h^T + b_h."""
    q = f(x, W, b=b)
    for h in range(len(W)):
        yield equal(q[:, h], x @ W[h].T + b[h])


@law("layers.read_out", id="MH-13",
     over=records(A=arrays(2, 3, 2), V=arrays(2, 2, 2), W=arrays(2, 4, 2), b=arrays(4)),
     kills=("mean of the heads", "heads interleaved", "output bias once a head"))
def the_output_is_linear_in_the_heads_side_by_side(f, A, V, W, b):
    """z = concat_h(A_h V_h) concat_h(W_h)^T + b."""
    yield equal(f(A, V, W, b=b), concat_heads(A @ V) @ concat_heads(W).T + b)


# -- associations ---------------------------------------------------------------------------------

@law("layers.associations", id="MH-2, MH-13", over=spaces(),
     kills=("a factor per head tiled over channels", "one association too many",
            "beta outside the softmax", "beta^2 from the second association on",
            "states averaged with the old ones", "one association too few"))
def associations_are_weights_after_modern_updates(f, Q, K, beta, per_head, steps):
    """A_n of a head is softmax(beta_h q K^T) after n - 1 modern updates of q, beta_h its own."""
    A = f(Q, K, beta=beta, per_head=per_head, steps=steps)
    for h in range(len(Q)):
        q, how = Q[h], {"beta": beta * float(per_head.value[h])}
        for _ in range(steps - 1):
            q = f.exact(modern.update, q, K[h], **how)
        yield equal(A[h], f.exact(modern.weights, q, K[h], **how))


@law("layers.associations", id="HL-2",
     kills=("a head stops by the largest change in the batch",))
def associations_follow_one_another(f, Q, K, *, steps=1, **options):
    """A_5 of Q is A_2 of the state after three, even if the changes are small."""
    if plain(options):
        K = K / SLOW
        state = f.exact(layers.associations, Q, K, steps=3, **options) @ K
        yield equal(f(state, K, steps=2, **options), f(Q, K, steps=5, **options))


@law("layers.associations", id="HL-2", over=spaces(batch=True),
     kills=("a factor per head tiled over channels", "heads and samples exchanged"))
def samples_and_heads_do_not_influence_each_other(f, Q, K, beta, per_head, steps):
    """The result of one head of one sample is that of the head alone."""
    A = f(Q, K, beta=beta, per_head=per_head, steps=steps)
    for i in range(len(Q)):
        for h in range(Q.shape[1]):
            alone = f(Q[i, h:h + 1], K[i, h:h + 1], beta=beta, per_head=per_head[h:h + 1],
                      steps=steps)
            yield equal(A[i, h:h + 1], alone)


@law("layers.associations", id="HL-3", over=spaces(masked=True),
     kills=("mask inverted", "mask of the first association only",
            "hidden weights zeroed after the softmax"))
def a_hidden_pattern_is_an_absent_one(f, Q, K, beta, per_head, steps, mask):
    """A mask or a bias of -inf hides a pattern in every head and in every association."""
    how = {"beta": beta, "per_head": per_head, "steps": steps}
    added = np.broadcast_to(np.where(mask, 0.0, -np.inf), (*Q.shape[:-1], K.shape[-2])).copy()
    for hidden in ({"mask": mask}, {"bias": added}):
        A = f(Q, K, **how, **hidden)
        for i, seen in enumerate(mask):
            yield equal(A[:, i:i + 1][..., seen], f(Q[:, i:i + 1], K[:, seen], **how))
            yield equal(A[:, i][..., ~seen], 0.0, "hidden")


@law("layers.associations", id="HL-3", over=spaces(masked=True),
     kills=("fully masked rows answer NaN", "-1e9 in place of -inf"))
def a_state_without_visible_patterns_has_zero_weights(f, Q, K, beta, per_head, steps, mask):
    """Its weights are 0, and the results of other states do not depend on it."""
    how = {"beta": beta, "per_head": per_head, "steps": steps}
    blind = mask & (np.arange(len(mask)) > 0)[:, None]
    A = f(Q, K, mask=blind, **how)
    yield equal(A[:, 0], 0.0)
    if len(mask) > 1:
        yield equal(A[:, 1:], f(Q[:, 1:], K, mask=mask[1:], **how))


# -- the whole ------------------------------------------------------------------------------------

@law("layers.associate", id="HL-1", over=projections(),
     kills=("what is read out iterates", "values of the stored patterns", "beta 1 by default",
            "values of the pattern before", "biases ignored"))
def a_layer_composes_its_operations(f, R, Y, P, W_q, W_k, W_v, W_o, b_q, b_k, b_v, b_o):
    """Project, associate twice, read out; beta is 1/sqrt(a)."""
    Q, K, V = (np.stack([x @ W[h].T + b[h] for h in range(len(W))])
               for x, W, b in ((R, W_q, b_q), (Y, W_k, b_k), (P, W_v, b_v)))
    for _ in range(2):
        A = f.exact(maps.softmax, Q @ np.swapaxes(K, -1, -2) / np.sqrt(np.longdouble(K.shape[-1])))
        Q = A @ K
    got = f(R, Y, P, W_q, W_k, W_v, W_o, b_q=b_q, b_k=b_k, b_v=b_v, b_o=b_o, steps=2)
    yield equal(got, concat_heads(A @ V) @ concat_heads(W_o).T + b_o)


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


@law("layers.associate", id="MH-13",
     over=records(xi=arrays(2, 3), X=arrays(4, 3), beta=sampled([0.5, 2.0])),
     kills=("values of the pattern before", "beta 1 by default"))
def one_head_with_identity_weights_is_the_modern_update(f, xi, X, beta):
    """Z = X^T softmax(beta X xi); beta is 1/sqrt(d) by default."""
    one = np.eye(3)[None]
    yield equal(f(xi, X, X, one, one, one, one, beta=beta),
                f.exact(modern.update, xi, X, beta=beta))
    p = f.exact(maps.softmax, xi @ X.T / np.sqrt(np.longdouble(3)))
    yield equal(f(xi, X, X, one, one, one, one), p @ X, "default")


@law("layers.associate", id="MH-13", kills=("what is read out iterates",))
def what_is_read_out_has_no_part_in_the_iteration(f, R, Y, P, W_q, W_k, W_v, W_o, **options):
    """Twice the value projection, without biases, is twice the output."""
    if plain(options) and not BIASES & set(options):
        yield equal(f(R, Y, P, W_q, W_k, 2 * W_v, W_o, **options),
                    2 * f(R, Y, P, W_q, W_k, W_v, W_o, **options))


@law("layers.associate", id="MH-12", kills=("values of the pattern before",))
def order_of_stored_patterns_is_irrelevant_to_a_layer(f, R, Y, P, W_q, W_k, W_v, W_o, **options):
    """Stored patterns and their projections in another order give the same output."""
    if plain(options):
        yield equal(f(R, Y[..., ::-1, :], P[..., ::-1, :], W_q, W_k, W_v, W_o, **options),
                    f(R, Y, P, W_q, W_k, W_v, W_o, **options))
