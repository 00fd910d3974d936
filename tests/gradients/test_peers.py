"""Gradients compared with automatic differentiation of implementations in PyTorch."""
import numpy as np
import pytest

from hopref import gradients
from tests.gradients.comparison import compared

torch = pytest.importorskip("torch", reason="autograd is compared in tox -e peers only")
RNG = np.random.default_rng(0)
M, N, L, S, D, V, R = 3, 7, 5, 6, 4, 3, 8


def normal(*shape):
    return RNG.standard_normal(shape)


def T(x):
    return x.transpose(-1, -2)


def positive(x, omega, beta):
    x = x * beta**0.5
    return torch.exp(x @ T(omega) - (x * x).sum(-1, keepdim=True) / 2) / len(omega) ** 0.5


def trigonometric(x, omega, beta):
    x = x * beta**0.5
    u, h = x @ T(omega), torch.exp((x * x).sum(-1, keepdim=True) / 2) / len(omega) ** 0.5
    return torch.cat([h * torch.sin(u), h * torch.cos(u)], -1)


def kernel(q, k, v):
    A = q @ T(k)
    return A @ v / A.sum(-1, keepdim=True)


def causal(q, k, v):
    A = torch.tril(q @ T(k))
    return A @ v / A.sum(-1, keepdim=True)


def modern(xi, X, beta):
    return torch.softmax(beta * (xi @ X.T), -1) @ X


def energy(xi, X, beta):
    lse = torch.logsumexp(beta * (xi @ X.T), -1) / beta
    return -lse + (xi * xi).sum(-1) / 2 + np.log(len(X)) / beta + (X * X).sum(-1).max() / 2


def attention(Q, K, v, bias, scale):
    return torch.nn.functional.scaled_dot_product_attention(Q * scale, K, v, attn_mask=bias,
                                                            scale=1.0)


# gradient -> (the operation in PyTorch, its operands, its array modifiers, its numbers)
RULES = {
    "modern.update": (modern, (normal(M, D), normal(N, D)), {}, {"beta": 1.5}),
    "modern.weights": (lambda xi, X, beta: torch.softmax(beta * (xi @ X.T), -1),
                       (normal(M, D), normal(N, D)), {}, {"beta": 0.5}),
    "modern.energy": (energy, (normal(M, D), normal(N, D)), {}, {"beta": 1.5}),
    "maps.softmax": (lambda z, bias, beta: torch.softmax(beta * z + bias, -1),
                     (normal(M, N),), {"bias": normal(M, N)}, {"beta": 2.0}),
    "maps.logsumexp": (lambda z, beta: torch.logsumexp(beta * z, -1) / beta,
                       (normal(M, N),), {}, {"beta": 2.0}),
    "attention.softmax_attention": (attention, (normal(2, L, D), normal(2, S, D), normal(2, S, V)),
                                    {"bias": normal(2, L, S)}, {"scale": 0.7}),
    "attention.linear_attention": (
        lambda q, k, v: kernel(q, k, v), (abs(normal(L, R)), abs(normal(S, R)), normal(S, V)),
        {}, {}),
    "attention.log_linear_attention": (
        lambda q, k, v: kernel(torch.exp(q), torch.exp(k), v),
        (normal(L, R), normal(S, R), normal(S, V)), {}, {}),
    "features.positive": (positive, (normal(M, D), normal(R, D)), {}, {"beta": 0.5}),
    "features.trigonometric": (trigonometric, (normal(M, D), normal(R, D)), {}, {"beta": 0.5}),
    "performer.attention": (
        lambda Q, K, v, omega, scale: kernel(positive(Q, omega, scale), positive(K, omega, scale),
                                             v),
        (normal(L, D), normal(S, D), normal(S, V), normal(R, D)), {}, {"scale": 0.5}),
    "performer.update": (
        lambda xi, X, omega, beta: kernel(positive(xi, omega, beta), positive(X, omega, beta), X),
        (normal(M, D), normal(N, D), normal(R, D)), {}, {"beta": 0.5}),
    "graded.update": (lambda xi, W, b, beta: torch.tanh(beta * (xi @ W.T - b)),
                      (normal(M, D), normal(D, D), normal(D)), {}, {"beta": 1.5}),
}


def by_autograd(rule, arrays, g):
    """PyTorch's gradients of <g, rule(arrays)> with respect to every array."""
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    (rule(*leaves) * torch.tensor(g)).sum().backward()
    return [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("name", RULES)
def test_autograd_agrees(name, record_property):
    rule, operands, modifiers, numbers = RULES[name]
    arrays = (*operands, *modifiers.values(), *numbers.values())
    with torch.no_grad():
        shape = rule(*map(torch.tensor, arrays)).shape
    g = normal(*shape)
    worst = compared(name, (g,), operands, modifiers | numbers, by_autograd(rule, arrays, g))
    record_property("worst", worst)
    print(f"{name}: {worst:.2f} of the tolerance")
    assert worst <= 1


def test_autograd_agrees_on_causal_attention():
    arrays = abs(normal(L, R)), abs(normal(L, R)), normal(L, V)
    g = normal(L, V)
    none = np.zeros((R, V)), np.zeros(R)
    worst = compared("attention.causal_linear_attention", (g, *none), arrays, {},
                     by_autograd(causal, arrays, g))
    assert worst <= 1


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_the_entmax_package_agrees_in_the_scores(alpha):
    entmax = pytest.importorskip("entmax", reason="a peer, compared in tox -e peers only")
    z, g = normal(20, N), normal(20, N)
    rule = {1.5: entmax.entmax15, 2.0: entmax.sparsemax}[alpha]
    theirs = by_autograd(lambda z: rule(z, dim=-1), (z,), g)
    assert compared("maps.entmax", (g,), (z,), {"alpha": alpha}, theirs) <= 1


@pytest.mark.parametrize("alpha", [1.2, 1.7, 2.5])
def test_the_entmax_package_agrees_in_alpha(alpha):
    """Its bisection stops at an interval of 2^-50, a gap that its quotient by (alpha - 1)^2
    enlarges."""
    entmax = pytest.importorskip("entmax", reason="a peer, compared in tox -e peers only")
    z, g = normal(20, N), normal(20, N)

    def rule(z, alpha):
        return entmax.entmax_bisect(z, alpha=alpha, dim=-1, n_iter=100)
    dz, dalpha = by_autograd(rule, (z, np.array([alpha])), g)
    ours = gradients.maps.entmax(g, z, alpha=alpha)
    inside = gradients.maps.maps.entmax(z, alpha=alpha)
    steep = np.max(np.where(inside > 0, inside, 1) ** (2 - alpha))
    allowed = 2.0**-40 * (1 + steep) ** 2 * np.abs(g).max() / (alpha - 1) ** 2
    assert np.max(np.abs(ours[0] - dz)) <= allowed
    assert abs(ours[2] - dalpha[0]) <= 20 * allowed
