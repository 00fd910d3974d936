"""Networks defined by Lagrangians, in ball arithmetic.  Reference: Krotov and Hopfield 2021."""
from hopref.certify.balls import columns, dot, exp, log, tanh, total
from hopref.certify.maps import logsumexp, softmax

__all__ = ["energy", "reduced_energy", "update", "flow"]

L = {
    "softmax": lambda u, beta: logsumexp(u, beta=beta),
    "tanh": lambda u, beta: total(log((exp(beta * u) + exp(-beta * u)) / 2))[..., 0] / beta,
    "quadratic": lambda u, beta: dot(u, u) / 2,
}
G = {
    "softmax": lambda u, beta: softmax(u, beta=beta),
    "tanh": lambda u, beta: tanh(beta * u),
    "quadratic": lambda u, beta: u,
}


def transform(layer, u, beta):
    """u.g(u) - L(u)."""
    return dot(u, G[layer](u, beta)) - L[layer](u, beta)


def energy(v, h, X, *, visible, hidden, beta=1):
    g, f = G[visible](v, beta), G[hidden](h, beta)
    return transform(visible, v, beta) + transform(hidden, h, beta) - dot(f, g @ columns(X))


def reduced_energy(v, X, *, visible, hidden, beta=1):
    return transform(visible, v, beta) - L[hidden](G[visible](v, beta) @ columns(X), beta)


def update(v, X, *, visible, hidden, beta=1):
    return G[hidden](G[visible](v, beta) @ columns(X), beta) @ X


def flow(v, h, X, *, visible, hidden, beta=1, tau_v=1, tau_h=1):
    return ((G[hidden](h, beta) @ X - v) / tau_v,
            (G[visible](v, beta) @ columns(X) - h) / tau_h)
