"""Retrieval by modern Hopfield networks."""
import numpy as np

from tests.check.honest import T, honest, log_domain, on_rows, powers_of_two, weights_of


@honest("modern.update")
def scaled_scores(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        return r.mul(weights_of(r, s), X)[..., 0, :]
    return update


@honest("modern.update")
def scaled_states(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        return r.mul(weights_of(r, r.mul(r(on_rows(r, xi) * r(beta)), X.T)), X)[..., 0, :]
    return update


@honest("modern.update")
def divided_last(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        e = r(np.exp(r(s - np.max(s, axis=-1, keepdims=True))))
        return r(r.mul(e, X) / r.add(e))[..., 0, :]
    return update


@honest("modern.update")
def blocked_online(r):
    """Flash-like: running maximum, sum and product over blocks of three, kept in float32."""
    def update(xi, X, beta=1.0):
        wide = np.float64 if r.dtype == "float64" else np.float32
        xi, X = r.given(xi)[..., None, :], r.given(X)
        top, total, drawn = -np.inf, 0.0, 0.0
        for at in range(0, len(X), 3):
            block = X[at:at + 3]
            s = (wide(beta) * np.matmul(xi, block.T)).astype(wide)
            new = np.maximum(top, np.max(s, axis=-1, keepdims=True))
            shrink, e = np.exp(top - new), r(np.exp(s - new))
            total = total * shrink + np.sum(e, axis=-1, keepdims=True)
            drawn, top = drawn * shrink + np.matmul(e, block), new
        return r(drawn / total)[..., 0, :]
    return update


@honest("modern.update")
def kernel_on_columns(r):
    """Patterns as columns and powers of 2."""
    def update(xi, X, beta=1.0):
        X = r.given(X)
        s = r(T(r.mul(X, T(on_rows(r, xi)))) * r(beta))
        return r.mul(powers_of_two(r, s), X)[..., 0, :]
    return update


@honest("modern.weights")
def logarithms(r):
    def weights(xi, X, beta=1.0):
        return log_domain(r, r(r.mul(on_rows(r, xi), r.given(X).T) * r(beta)))[..., 0, :]
    return weights


@honest("modern.weights")
def plain_weights(r):
    def weights(xi, X, beta=1.0):
        return weights_of(r, r(r.mul(on_rows(r, xi), r.given(X).T) * r(beta)))[..., 0, :]
    return weights


@honest("modern.energy")
def as_printed(r):
    def energy(xi, X, beta=1.0):
        xi, X, b = on_rows(r, xi), r.given(X), r(beta)
        s = r(r.mul(xi, X.T) * b)
        top = np.max(s, axis=-1, keepdims=True)
        lse = r(r(r(np.log(r.add(r(np.exp(r(s - top)))))) + top) / b)
        longest = np.max(r.add(r(X * X)))
        rest = r(r(r(r.add(r(xi * xi)) / 2) + r(r(np.log(r(len(X)))) / b)) + r(longest / 2))
        return r(rest - lse)[..., 0, 0]
    return energy
