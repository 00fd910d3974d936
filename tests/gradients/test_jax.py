"""Gradients compared with automatic differentiation of independent implementations in JAX."""
import numpy as np
import pytest

from tests.gradients.comparison import compared

jax = pytest.importorskip("jax", reason="autograd is compared in tox -e peers only")
RNG = np.random.default_rng(1)
M, N, L, S, D, V, R = 3, 7, 5, 6, 4, 3, 8


def normal(*shape):
    return RNG.standard_normal(shape)


def update(xi, X, beta):
    return jax.nn.softmax(beta * (xi @ X.T), axis=-1) @ X


def energy(xi, X, beta):
    lse = jax.nn.logsumexp(beta * (xi @ X.T), axis=-1) / beta
    return -lse + (xi * xi).sum(-1) / 2 + np.log(len(X)) / beta + (X * X).sum(-1).max() / 2


def attention(Q, K, v, bias, scale):
    return jax.nn.softmax(scale * (Q @ K.T) + bias, axis=-1) @ v


def kernel(q, k, v, hide=lambda A: A):
    A = hide(q @ k.T)
    return A @ v / A.sum(-1, keepdims=True)


def positive(x, omega, beta):
    x = x * beta**0.5
    return jax.numpy.exp(x @ omega.T - (x * x).sum(-1, keepdims=True) / 2) / len(omega) ** 0.5


# gradient -> (implementation in JAX, operands, array modifiers, numbers, further cotangents)
RULES = {
    "modern.update": (update, (normal(M, D), normal(N, D)), {}, {"beta": 1.5}, ()),
    "modern.energy": (energy, (normal(M, D), normal(N, D)), {}, {"beta": 1.5}, ()),
    "attention.softmax_attention": (attention, (normal(L, D), normal(S, D), normal(S, V)),
                                    {"bias": normal(L, S)}, {"scale": 0.7}, ()),
    "attention.linear_attention": (
        kernel, (abs(normal(L, R)), abs(normal(S, R)), normal(S, V)), {}, {}, ()),
    "attention.causal_linear_attention": (
        lambda q, k, v: kernel(q, k, v, jax.numpy.tril),
        (abs(normal(L, R)), abs(normal(L, R)), normal(L, V)), {}, {},
        (np.zeros((R, V)), np.zeros(R))),
    "features.positive": (positive, (normal(M, D), normal(R, D)), {}, {"beta": 0.5}, ()),
    "performer.attention": (
        lambda Q, K, v, omega, scale: kernel(positive(Q, omega, scale), positive(K, omega, scale),
                                             v),
        (normal(L, D), normal(S, D), normal(S, V), normal(R, D)), {}, {"scale": 0.5}, ()),
}


@pytest.mark.parametrize("name", RULES)
def test_jax_agrees(name):
    rule, operands, modifiers, numbers, more = RULES[name]
    with jax.enable_x64(True):
        result, back = jax.vjp(rule, *operands, *modifiers.values(), *numbers.values())
        g = normal(*result.shape)
        theirs = [np.asarray(d) for d in back(jax.numpy.asarray(g))]
    assert result.dtype == np.float64
    assert compared(name, (g, *more), operands, modifiers | numbers, theirs) <= 1


def delta(q, k, v, log_decay, log_gates, beta, S, scale):
    """The delta rule with decays, and the final memory."""
    def step(S, token):
        q, k, v, g, b = token
        S = jax.numpy.exp(g)[:, None] * S
        S = S + b * jax.numpy.outer(k, v - k @ S)
        return S, scale * (q @ S)
    S, o = jax.lax.scan(step, S, (q, k, v, log_decay[:, None] + log_gates, beta))
    return o, S


def test_jax_agrees_on_the_delta_rule():
    operands = normal(L, D), normal(L, D) / 2, normal(L, V)
    gates = {"log_decay": -abs(normal(L)), "log_gates": -abs(normal(L, D)),
             "beta": abs(normal(L)) / 4, "S": normal(D, V), "scale": 0.7}
    cotangents = normal(L, V), normal(D, V)
    with jax.enable_x64(True):
        _, back = jax.vjp(delta, *operands, *gates.values())
        theirs = [np.asarray(d) for d in back(tuple(map(jax.numpy.asarray, cotangents)))]
    named = gates | {"rule": "delta"}
    assert compared("gated.linear_attention", cotangents, operands, named, theirs) <= 1
