"""The memory of random features: in logs, with the largest response subtracted."""
import numpy as np

from tests.check.honest import honest, on_rows, weights_of


def responses(r, xi, omega, log_sums, beta):
    products = r.mul(on_rows(r, xi), r.given(omega).T)
    return r(r(products * r(np.sqrt(beta))) + r.given(log_sums))


def logsumexp(r, s):
    top = np.max(s, axis=-1, keepdims=True)
    return r(top + r(np.log(r.add(r(np.exp(r(s - top)))))))[..., 0]


@honest("feature_memory.log_sums")
def logs_of_sums(r):
    def log_sums(X, omega, beta=1.0, kernel="exponential"):
        X, omega = r.given(X), r.given(omega)
        share = r(r(beta) * (0.5 if kernel == "exponential" else 1.0))
        heights = r(share * r.add(r(X * X))[:, 0])
        logs = r(r(r(np.sqrt(beta)) * r.mul(omega, X.T)) - heights)
        return r(logsumexp(r, logs) - r(np.log(len(omega))))
    return log_sums


@honest("feature_memory.energy")
def square_less_logsumexp(r):
    def energy(xi, omega, log_sums, beta=1.0):
        s, xi = responses(r, xi, omega, log_sums, beta), on_rows(r, xi)
        return r(r.add(r(xi * xi))[..., 0] - r(logsumexp(r, s) / r(beta)))[..., 0]
    return energy


@honest("feature_memory.update")
def step_along_the_gradient(r):
    """xi - step (2 xi - W^T p / sqrt(beta))."""
    def update(xi, omega, log_sums, beta=1.0, step=0.5):
        p = weights_of(r, responses(r, xi, omega, log_sums, beta))
        xi, mean = on_rows(r, xi), r(r.mul(p, r.given(omega)) / r(np.sqrt(beta)))
        return r(xi - r(r(step) * r(r(2 * xi) - mean)))[..., 0, :]
    return update
