"""Laws of the forward passes of Hopfield layers, which are plain functions.

A forward pass is compared with the operations that it is made of; `honest` gives what these return
in the candidate's arithmetic, with their tolerances carried from one to the next.
"""
import numpy as np

from hopref import layers
from hopref.check.cases.draws import arrays, records, sampled
from hopref.check.cases.layers import projections
from hopref.check.laws import equal, holds, law, toleranced
from hopref.check.tolerance.derivation import running
from hopref.models import modern

BIASES = ("b_q", "b_k", "b_v", "b_o")
TOLERANCE = 1e-12       # of `layers.iterate`: the last change of a state, relative to it


def honest(f, op, *args, **kwargs):
    """The result of an honest implementation of ``op``, with its tolerance."""
    return running(op, args, kwargs, f.profile)


def weights_in(case):
    return layers.Weights(**{k: v for k, v in case.items() if k[:2] in ("W_", "b_")})


def associated(f, R, Y, P, w, **how):
    """`layers.associate` with these weights."""
    biases = {k: getattr(w, k) for k in BIASES}
    return honest(f, layers.associate, R, Y, P, w.W_q, w.W_k, w.W_v, w.W_o, **biases, **how)


# -- the layer ------------------------------------------------------------------------------------

@law("layers.hopfield", id="HL-1", over=projections(),
     kills=("state normalised after the projection", "norm of the stored for the projection"))
def each_input_is_normalised_by_its_own_norm_first(f, R, Y, P, **case):
    """State, stored patterns and projection each have a layer norm before their matrix."""
    norms = {"norm_state": layers.Norm(eps=0.5),
             "norm_stored": layers.Norm(gain=np.arange(1.0, 1 + Y.shape[-1])),
             "norm_projection": layers.Norm(shift=np.full(P.shape[-1], 2.0), eps=0.25)}
    w = weights_in(case)
    inputs = [honest(f, layers.layer_norm, x, gain=n.gain, shift=n.shift, eps=n.eps)
              for x, n in zip((R, Y, P), norms.values(), strict=True)]
    yield equal(f(R, Y, P, w._replace(**norms), steps=2), associated(f, *inputs, w, steps=2))


@law("layers.hopfield", id="HL-1", over=projections(),
     kills=("normalised at every step", "connected projection without its bias"))
def spaces_are_normalised_once_and_projections_may_pass_through_the_keys(f, R, Y, P, **case):
    """Q and K are normalised before the iteration; V = W_v (W_k P + b_k) + b_v if connected."""
    P, w = np.resize(P, Y.shape), weights_in(case)
    h, a, v = *w.W_k.shape[:2], w.W_v.shape[1]
    w = w._replace(W_v=np.resize(w.W_v, (h, v, h * a)), norm_space=layers.Norm(eps=0.5))
    Q, K, through = (honest(f, layers.project, x, W, b=b) for x, W, b in
                     ((R, w.W_q, w.b_q), (Y, w.W_k, w.b_k), (P, w.W_k, w.b_k)))
    Q, K = (honest(f, layers.layer_norm, x, eps=0.5) for x in (Q, K))
    A = honest(f, layers.associations, Q, K, steps=3)
    heads = np.concatenate([through[h] for h in range(len(through))], axis=-1)
    V = honest(f, layers.project, heads, w.W_v, b=w.b_v)
    yield equal(f(R, Y, P, w, steps=3, connected=True),
                honest(f, layers.read_out, A, V, w.W_o, b=w.b_o))


@law("layers.hopfield", id="MH-13",
     over=records(R=arrays(2, 3), Y=arrays(4, 3), beta=sampled([0.5, 2.0])),
     kills=("1/sqrt(a) though nothing is projected", "mean factor for every head"))
def a_layer_without_weights_is_the_modern_update(f, R, Y, beta):
    """Its beta is then 1, and the results of heads with factors are concatenated."""
    for how, b in (({"beta": beta}, beta), ({}, 1.0)):
        yield equal(f(R, Y, Y, **how), honest(f, modern.update, R, Y, beta=b))
    factors = np.array([0.5, 2.0])
    two = f(R, Y, Y, beta=beta, per_head=factors)
    for h, b in enumerate(beta * factors):
        yield equal(two[:, 3 * h:3 * h + 3], honest(f, modern.update, R, Y, beta=float(b)))


@law("layers.hopfield", id="HL-3", over=projections(),
     kills=("key mask inverted", "padding hides values only"))
def a_hidden_pattern_has_no_effect_on_the_output(f, R, Y, P, **case):
    """Patterns hidden by a key mask, or by the mask of every state, can be omitted."""
    Y, P, w = np.concatenate([Y, 1 + Y]), np.concatenate([P, 1 - P]), weights_in(case)
    seen = np.arange(len(Y)) < len(Y) // 2
    want = associated(f, R, Y[seen], P[seen], w, steps=2)
    yield equal(f(R, Y, P, w, steps=2, key_mask=seen), want, "key mask")
    yield equal(f(R, Y, P, w, steps=2, mask=np.tile(seen, (len(R), 1))), want, "mask")


@law("layers.hopfield_pooling", id="HL-4", over=projections(),
     kills=("stored patterns of the first sample",))
def pooling_is_the_layer_with_repeated_states(f, R, Y, P, **case):
    """Every set is pooled by the same states."""
    w = weights_in(case)
    sets, targets = np.stack([Y, Y[::-1] + 1]), np.stack([P, 2 - P])
    pooled = f(sets, targets, R, w)
    for i in range(2):
        yield equal(pooled[i], associated(f, R, sets[i], targets[i], w))


@law("layers.hopfield_layer", id="HL-5", over=projections(), kills=("targets ignored",))
def a_lookup_is_the_layer_with_repeated_stored_patterns(f, R, Y, P, **case):
    """Every sample sees the same lookup; without targets the lookup itself is projected."""
    w = weights_in(case)
    states = np.stack([R, 1 - R])
    found = f(states, Y, P, w)
    for i in range(2):
        yield equal(found[i], associated(f, states[i], Y, P, w))
    own = w._replace(W_v=w.W_k, b_v=w.b_k,
                     W_o=np.resize(w.W_o, (*w.W_o.shape[:2], w.W_k.shape[1])))
    yield equal(f(R, Y, None, own), associated(f, R, Y, Y, own))


# -- states that converge -------------------------------------------------------------------------

def moved(X, beta):
    """Ratio of the change of a state by two further updates and its last change [MH-6]."""
    once = beta * np.max(np.sum((X[:, None] - X) ** 2, axis=-1)) / 4
    return np.sqrt(X.shape[-1]) * max(1.0, once) ** 2


@law("layers.iterate", id="MH-7", over=records(R=arrays(2, 2), Y=arrays(3, 2)),
     kills=("one update", "mask ignored"))
def a_converged_state_is_its_own_update(f, R, Y):
    """The last change was at most 1e-12 of the state; the output follows a further update."""
    mask, beta = np.array([[True, True, False], [True, False, True]]), 0.25
    run = f(R, Y, Y, beta=beta, mask=mask)
    for i, seen in enumerate(mask):
        X = Y[seen]
        slack = TOLERANCE * np.max(np.abs(X)) * moved(X, beta)
        again = honest(f, modern.update, np.asarray(run.output)[i], X, beta=beta)
        # the output is itself an update, rounded like the one that it is compared with
        yield equal(toleranced(np.asarray(run.output)[i], slack + again.radius), again)
    yield holds(np.all(run.converged) and np.shape(run.reason) == (1, 2), "converged")
