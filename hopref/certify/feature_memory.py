"""The memory of random features in ball arithmetic, without logarithms of single features.

References: Hoover et al. 2024; Choromanski et al. 2021, eq. (7).
"""
from hopref.certify.balls import dot, exp, log, sqrt, total

__all__ = ["log_sums", "energy", "update"]


def log_sums(X, omega, *, beta=1, kernel="exponential"):
    share = 2 if kernel == "exponential" else 1
    features = exp(sqrt(beta) * (omega @ X.T) - beta * dot(X, X) / share)
    return log(total(features)[..., 0] / len(omega))


def energy(xi, omega, log_sums, *, beta=1):
    kernel = dot(exp(sqrt(beta) * (xi @ omega.T)), exp(log_sums))
    return dot(xi, xi) - log(kernel) / beta


def update(xi, omega, log_sums, *, beta=1, step):
    weights = exp(sqrt(beta) * (xi @ omega.T)) * exp(log_sums)
    gradient = 2 * xi - weights / total(weights) @ omega / sqrt(beta)
    return xi - step * gradient
