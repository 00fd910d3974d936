"""Forward passes: how states end that are iterated to convergence, and what is refused."""
import numpy as np
import pytest

from hopref import layers
from hopref.errors import CallError, DomainError, DTypeError, ShapeError
from tests.rounding import close, g


def eye(*shape):
    """One head that does nothing."""
    return np.eye(*shape)[None]


# -- states iterated to convergence --------------------------------------------------------------

def test_a_state_that_does_not_converge_is_reported():
    run = layers.iterate([[1.0], [0.5]], [[1.0], [-1.0]], [[1.0], [-1.0]], beta=1.01, max_steps=3)
    assert run.reason.tolist() == [["max_steps", "max_steps"]] and run.steps.tolist() == [[3, 3]]


def test_every_state_converges_by_itself():
    """As many steps as alone, whatever its companions; only products of matrices round anew."""
    rng = np.random.default_rng(0)
    R, Y, P = rng.standard_normal((3, 2, 3, 4))
    w = layers.Weights(*rng.standard_normal((3, 2, 4, 4)))
    run = layers.iterate(R, Y, P, w)
    size = (np.abs(P[..., None, :, :]) @ np.swapaxes(np.abs(w.W_v), -1, -2)).max()
    for i in range(2):
        alone = layers.iterate(R[i], Y[i], P[i], w)
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
    (ShapeError, "hopfield: mask must broadcast to",
     lambda: layers.hopfield(X, X, X, mask=[True] * 3)),
    (ShapeError, "hopfield: bias must broadcast to",
     lambda: layers.hopfield(X, X, X, bias=[0.0] * 3)),
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
    (DomainError, "iterate: every state must see",
     lambda: layers.iterate(X, X, X, mask=np.zeros((2, 2), bool))),
    (DomainError, "iterate: max_steps must be", lambda: layers.iterate(X, X, X, max_steps=0)),
])
def test_bad_input_is_refused_by_the_function_that_was_called(error, words, call):
    with pytest.raises(error, match=rf"^hopref\.layers\.{words}.*; got .*\.$"):
        call()


def test_lists_and_whole_numbers_are_taken():
    np.testing.assert_array_equal(layers.hopfield([[0, 0]], [[1, 2]], [[3, 4]]), [[3.0, 4.0]])
    assert layers.hopfield(X, X, X).dtype == float
