"""Forward passes: HL-1, HL-4, HL-5, and states that settle.

Allowed differences are the derived tolerances of the operations (`rounding.of`); a forward pass is
compared with the same operations called by hand, in another order or on other operands.
"""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import layers, modern
from hopref.errors import CallError, DomainError, DTypeError, ShapeError
from tests.draw import arrays, projections, records
from tests.laws import law
from tests.rounding import close, g, of


def weights_in(case, **more):
    return layers.Weights(**{k: v for k, v in case.items() if k[:2] in ("W_", "b_")}, **more)


def associated(R, Y, P, w, **how):
    """`layers.associate` of these weights, and its tolerance."""
    biases = {k: getattr(w, k) for k in ("b_q", "b_k", "b_v", "b_o")}
    return of(layers.associate, R, Y, P, w.W_q, w.W_k, w.W_v, w.W_o, **biases, **how)


def eye(*shape):
    """One head that does nothing."""
    return np.eye(*shape)[None]


# -- the layer ----------------------------------------------------------------------------------

@law("layers.hopfield", id="HL-1", over=projections(),
     kills=["normalised_after_the_projection", "norm_of_the_stored_for_the_projection"])
def test_each_input_is_normalised_by_its_own_norm_first(rules, R, Y, P, **case):
    """The operation on what was normalised: equal bits."""
    norms = {"norm_state": layers.Norm(eps=0.5),
             "norm_stored": layers.Norm(gain=np.arange(1.0, 1 + Y.shape[-1])),
             "norm_projection": layers.Norm(shift=np.full(P.shape[-1], 2.0), eps=0.25)}
    w = weights_in(case)
    got = rules.layers.hopfield(R, Y, P, w._replace(**norms), steps=2)
    inputs = [layers.layer_norm(x, gain=n.gain, shift=n.shift, eps=n.eps)
              for x, n in zip((R, Y, P), norms.values(), strict=True)]
    want, room = associated(*inputs, w, steps=2)
    close(got, want, 2 * room)


@law("layers.hopfield", id="HL-1", over=projections(),
     kills=["normalised_at_every_step", "connected_without_its_bias"])
def test_spaces_are_normalised_once_and_connected_projections_go_through_the_keys(rules, R, Y, P,
                                                                                  **case):
    P, w = np.resize(P, Y.shape), weights_in(case)
    h, a, v = *w.W_k.shape[:2], w.W_v.shape[1]
    w = w._replace(W_v=np.resize(w.W_v, (h, v, h * a)), norm_space=layers.Norm(eps=0.5))
    got = rules.layers.hopfield(R, Y, P, w, steps=3, connected=True)
    Q, K, through = (layers.project(x, W, b=b) for x, W, b in
                     ((R, w.W_q, w.b_q), (Y, w.W_k, w.b_k), (P, w.W_k, w.b_k)))
    A, room = of(layers.associations, *(layers.layer_norm(x, eps=0.5) for x in (Q, K)), steps=3)
    V = layers.project(np.concatenate(list(through), axis=-1), w.W_v, b=w.b_v)
    z, more = of(layers.read_out, A, V, w.W_o, b=w.b_o)
    spread = np.abs(room @ np.abs(V) @ np.swapaxes(np.abs(w.W_o), -1, -2)).sum(0)
    close(got, z, 2 * (more + spread))


@law("layers.hopfield", id="MH-13",
     over=records(R=arrays(2, 3), Y=arrays(4, 3), beta=st.sampled_from([0.5, 2.0])),
     kills=["always_over_the_root_of_a", "static_heads_share_the_scores"])
def test_without_weights_it_is_the_modern_update(rules, R, Y, beta):
    """And its scale is then 1: nothing but softmax is left to do."""
    for how, b in (({"beta": beta}, beta), ({}, 1.0)):
        want, room = of(modern.update, R, Y, beta=b)
        close(rules.layers.hopfield(R, Y, Y, **how), want, 2 * room)
    factors = np.array([0.5, 2.0])
    two = rules.layers.hopfield(R, Y, Y, beta=beta, per_head=factors)
    for h, b in enumerate(beta * factors):
        want, room = of(modern.update, R, Y, beta=b)
        close(two[:, 3 * h:3 * h + 3], want, 2 * room)


@law("layers.hopfield", id="HL-3", over=projections(),
     kills=["key_mask_inverted", "padding_hides_values_only"])
def test_padding_is_absence(rules, R, Y, P, **case):
    Y, P, w = np.concatenate([Y, 1 + Y]), np.concatenate([P, 1 - P]), weights_in(case)
    seen = np.arange(len(Y)) < len(Y) // 2
    want, room = associated(R, Y[seen], P[seen], w, steps=2)
    close(rules.layers.hopfield(R, Y, P, w, steps=2, key_mask=seen), want, 2 * room)
    close(rules.layers.hopfield(R, Y, P, w, steps=2, mask=np.tile(seen, (len(R), 1))), want,
          2 * room)


@law("layers.hopfield_pooling", "layers.hopfield_layer", id="HL-4, HL-5", over=projections(),
     kills=["states_of_the_first_sample", "targets_ignored"])
def test_pooling_and_lookup_are_the_layer_with_repeated_operands(rules, R, Y, P, **case):
    w = weights_in(case)
    sets, targets = np.stack([Y, Y[::-1] + 1]), np.stack([P, 2 - P])
    pooled = rules.layers.hopfield_pooling(sets, targets, R, w)
    for i in range(2):
        want, room = associated(R, sets[i], targets[i], w)
        close(pooled[i], want, 2 * room)
    states = np.stack([R, 1 - R])
    found = rules.layers.hopfield_layer(states, Y, P, w)
    for i in range(2):
        want, room = associated(states[i], Y, P, w)
        close(found[i], want, 2 * room)
    own = w._replace(W_v=w.W_k, b_v=w.b_k, W_o=np.resize(w.W_o, (*w.W_o.shape[:2],
                                                                 w.W_k.shape[1])))
    want, room = associated(R, Y, Y, own)
    close(rules.layers.hopfield_layer(R, Y, None, own), want, 2 * room)


# -- states that settle -------------------------------------------------------------------------

@law("layers.settle", id="MH-7", over=records(R=arrays(2, 2), Y=arrays(3, 2)),
     kills=["settled_after_one_step", "settled_without_the_mask"])
def test_a_settled_state_is_its_own_update(rules, R, Y):
    """Its last change was at most 1e-12 of it; the output is one update on, this is another."""
    mask, beta = np.array([[True, True, False], [True, False, True]]), 0.25
    run = rules.layers.settle(R, Y, Y, beta=beta, mask=mask)
    for i, seen in enumerate(mask):
        X = Y[seen]
        again, room = of(modern.update, run.output[i], X, beta=beta)
        close(run.output[i], again, 1e-12 * np.abs(X).max() * lipschitz(X, beta) + 4 * room)
    assert run.converged.all() and run.reason.shape == (1, 2)


def lipschitz(X, beta):
    """Two more updates move a state by at most so many times its last change [MH-6]."""
    once = beta * np.max(((X[:, None] - X) ** 2).sum(-1)) / 4
    return np.sqrt(X.shape[-1]) * max(1.0, once) ** 2


def test_what_does_not_settle_says_so():
    run = layers.settle([[1.0], [0.5]], [[1.0], [-1.0]], [[1.0], [-1.0]], beta=1.01, max_steps=3)
    assert run.reason.tolist() == [["max_steps", "max_steps"]] and run.steps.tolist() == [[3, 3]]


def test_every_state_settles_by_itself():
    """As many steps as alone, whatever its companions; only products of matrices round anew."""
    rng = np.random.default_rng(0)
    R, Y, P = rng.standard_normal((3, 2, 3, 4))
    w = layers.Weights(*rng.standard_normal((3, 2, 4, 4)))
    run = layers.settle(R, Y, P, w)
    size = (np.abs(P[..., None, :, :]) @ np.swapaxes(np.abs(w.W_v), -1, -2)).max()
    for i in range(2):
        alone = layers.settle(R[i], Y[i], P[i], w)
        np.testing.assert_array_equal(run.steps[i], alone.steps)
        close(run.output[i], alone.output, 2 * g(3 + 4) * size)     # products of 4, sums of 3


# -- what is refused ----------------------------------------------------------------------------

X = np.ones((2, 3))


@pytest.mark.parametrize("error, words, call", [
    (CallError, "hopfield: weights must be", lambda: layers.hopfield(X, X, X, X)),
    (DomainError, "hopfield: compat must be one of", lambda: layers.hopfield(X, X, X, compat="x")),
    (DomainError, "hopfield: connected must be", lambda: layers.hopfield(X, X, X, connected=1)),
    (DomainError, "hopfield: steps must be", lambda: layers.hopfield(X, X, X, steps=None)),
    (DomainError, "hopfield: heads must be", lambda: layers.hopfield(X, X, X, heads=0)),
    (DomainError, "hopfield: tol must be",
     lambda: layers.hopfield(X, X, X, compat="hflayers", tol=-1.0)),
    (DomainError, "hopfield: beta must be",
     lambda: layers.hopfield(X, X, X, compat="hflayers", beta=-1.0)),
    (DomainError, "hopfield: per_head must be finite and > 0",
     lambda: layers.hopfield(X, X, X, compat="hflayers", per_head=[1.0, 0.0])),
    (DomainError, "hopfield: P must be finite",
     lambda: layers.hopfield(X, X, X * np.nan, compat="hflayers")),
    (DomainError, "hopfield: bias must be finite or -inf",
     lambda: layers.hopfield(X, X, X, compat="hflayers", bias=X[:, :2] * np.inf)),
    (DTypeError, "hopfield: P must hold real numbers", lambda: layers.hopfield(X, X, X > 0)),
    (DTypeError, "hopfield: mask must be boolean",
     lambda: layers.hopfield(X, X, X, mask=np.ones((2, 2)), compat="hflayers")),
    (DTypeError, "hopfield: key_mask must be boolean",
     lambda: layers.hopfield(X, X, X, key_mask=[1, 1])),
    (ShapeError, "hopfield: h must be the same everywhere",
     lambda: layers.hopfield(X, X, X, per_head=2.0)),
    (ShapeError, "hopfield: h must be the same everywhere",
     lambda: layers.hopfield(X, X, X, layers.Weights(W_q=1.0), heads=1)),
    (ShapeError, "hopfield: R must hold patterns", lambda: layers.hopfield(X[0], X, X)),
    (ShapeError, "hopfield: a must be the same", lambda: layers.hopfield(X[:, :2], X, X)),
    (ShapeError, "hopfield: h must be the same everywhere",
     lambda: layers.hopfield(X, X, X, layers.Weights(W_q=eye(3)), heads=2)),
    (ShapeError, "hopfield: mask must fit", lambda: layers.hopfield(X, X, X, mask=[True] * 3)),
    (ShapeError, "hopfield: bias must fit", lambda: layers.hopfield(X, X, X, bias=[0.0] * 3)),
    (ShapeError, "hopfield: d must be the same",
     lambda: layers.hopfield(X, X, X, layers.Weights(W_q=eye(2)))),
    (DomainError, "hopfield: W must be finite",
     lambda: layers.hopfield(X, X, X, layers.Weights(W_o=eye(3) * np.nan))),
    (ShapeError, "hopfield_pooling: states must have two axes",
     lambda: layers.hopfield_pooling(X, X, X[None])),
    (ShapeError, "hopfield_layer: targets must have two axes",
     lambda: layers.hopfield_layer(X, X, X[None])),
    (DomainError, "hopfield_layer: beta must be",
     lambda: layers.hopfield_layer(X, X, X, beta=0.0)),
    (DomainError, "settle: every state must see",
     lambda: layers.settle(X, X, X, mask=np.zeros((2, 2), bool))),
    (DomainError, "settle: max_steps must be", lambda: layers.settle(X, X, X, max_steps=0)),
])
def test_bad_input_is_refused_by_the_function_that_was_called(error, words, call):
    with pytest.raises(error, match=rf"^hopref\.layers\.{words}.*; got .*\.$"):
        call()


def test_lists_and_whole_numbers_are_taken():
    np.testing.assert_array_equal(layers.hopfield([[0, 0]], [[1, 2]], [[3, 4]]), [[3.0, 4.0]])
    assert layers.hopfield(X, X, X).dtype == float
