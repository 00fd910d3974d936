"""Classical and graded networks, and storage."""
import numpy as np

from tests.check.honest import honest, on_rows


@honest("classical.field")
def product_minus_threshold(r):
    def field(xi, W, b=0.0):
        return r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b))
    return field


@honest("classical.field")
def threshold_as_a_weight(r):
    """b as the weight of one more site, of state -1."""
    def field(xi, W, b=0.0):
        xi, W = r.given(xi), r.given(W)
        b = np.broadcast_to(r.given(b), W.shape[:1])[:, None]
        xi = np.concatenate([xi, -np.ones_like(xi[..., :1])], axis=-1)
        return r.mul(xi[..., None, :], np.concatenate([W, b], axis=-1).T)[..., 0, :]
    return field


@honest("classical.update")
def two_wheres(r):
    def update(xi, W, b=0.0, ties="keep", states="polar"):
        h = r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b))
        low, tie = (-1.0 if states == "polar" else 0.0), (xi if ties == "keep" else 1.0)
        return r(np.where(h > 0, 1.0, np.where(h < 0, low, tie)))
    return update


@honest("classical.asynchronous_update")
def a_loop_over_sites(r):
    def asynchronous_update(xi, W, b=0.0, *, order, ties="keep", states="polar"):
        xi, W, b = np.array(r.given(xi)), r.given(W), r.given(b) * np.ones(len(W), r(0).dtype)
        for i in order:
            h = r(r.mul(xi[..., None, :], W[i][:, None])[..., 0, 0] - b[i])
            tie = xi[..., i] if ties == "keep" else 1.0
            low = -1.0 if states == "polar" else 0.0
            xi[..., i] = np.where(h > 0, 1.0, np.where(h < 0, low, tie))
        return xi
    return asynchronous_update


@honest("classical.energy")
def one_einsum(r):
    def energy(xi, W, b=0.0):
        xi, W = r.given(xi), r.given(W)
        Wx = r.mul(xi[..., None, :], W)[..., 0, :]
        bx = r.add(r(r.given(b) * xi)) if np.ndim(b) else r.add(r(b * xi))
        return r(bx - r(r.add(r(Wx * xi)) / 2))[..., 0]
    return energy


@honest("graded.update")
def numpy_tanh(r):
    def update(xi, W, b=0.0, *, beta=1.0, activation="tanh"):
        u = r(r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b)) * r(beta))
        f = {"tanh": np.tanh, "sigmoid": lambda x: r(1 / r(1 + r(np.exp(-x)))),
             "identity": lambda x: x}[activation]
        return r(f(u))
    return update


@honest("graded.update")
def exponentials(r):
    """tanh x as (1 - e) / (1 + e), e = exp(-2 |x|), where it does not cancel."""
    def update(xi, W, b=0.0, *, beta=1.0):
        u = r(r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b)) * r(beta))
        e = r(np.exp(-2 * np.abs(u)))
        return np.where(np.abs(u) < 1, r(np.tanh(u)), r(np.sign(u) * r((1 - e) / (1 + e))))
    return update


@honest("graded.energy")
def logarithms_of_one_plus_x(r):
    def energy(xi, W, b=0.0, *, beta=1.0):
        xi, W = r.given(xi), r.given(W)

        def xlog(x):
            return r(x * r(np.log(np.where(x > 0, x, 1))))
        G = r(r(xlog(r(1 + xi)) + xlog(r(1 - xi))) / 2)
        Wx = r.mul(xi[..., None, :], W)[..., 0, :]
        bx = r.add(r(r.given(b) * xi)) if np.ndim(b) else r.add(r(b * xi))
        return r(r(bx - r(r.add(r(Wx * xi)) / 2)) + r(r.add(G) / r(beta)))[..., 0]
    return energy


@honest("storage.hebbian")
def one_pattern_at_a_time(r):
    def hebbian(X, scale=1.0):
        X = r.given(X)
        W = r(np.zeros((X.shape[1], X.shape[1])))
        for x in X:
            W = r(W + r(x[:, None] * x))
        return r(W * r(scale))
    return hebbian


@honest("storage.hebbian")
def outer_products(r):
    def hebbian(X, scale=1.0, zero_diagonal=False):
        X = r.given(X)
        W = r(r.mul(X.T, X) * r(scale))
        return r(np.where(np.eye(len(W), dtype=bool), 0, W)) if zero_diagonal else W
    return hebbian


@honest("sequences.update")
def overlaps_then_followers(r):
    """Overlaps divided by the largest one before the power, as by hand."""
    def update(xi, X, interaction="polynomial", n=3, loop=True, zero_diagonal=False):
        X, xi = r.given(X), r.given(xi)
        parts = r(X * xi[..., None, :])
        z = r.add(parts)
        z = r(z - parts) if zero_diagonal else z + 0 * parts
        top = np.max(z if interaction == "exponential" else np.abs(z), axis=-2, keepdims=True)
        if interaction == "exponential":
            F = r(np.exp(r(z - top)))
        else:
            z = r(z / np.where(top > 0, top, 1))
            F = r((np.maximum(z, 0) if interaction == "rectified" else z) ** n)
        Y = np.concatenate([X[1:], X[:1] if loop else 0 * X[:1]])
        h = r.add(np.swapaxes(r(Y * F), -1, -2))[..., 0]
        return r(np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi)))
    return update
