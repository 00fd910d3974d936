"""Laws of random features and of the Performer."""
import numpy as np

from hopref.check.laws import equal, law
from hopref.features import log_positive
from hopref.maps import default_scale

EPS = ("FAVOR+ eps 1e-4", "FAVOR+ eps 1e-6")


@law("features.positive", id="RF-2", kills=("1/sqrt(m) missing", "|x|^2/2 with the wrong sign"))
def opposite_vectors_are_estimated_exactly(f, x, omega, *, beta=1.0):
    """phi(x) . phi(-x) = exp(-beta |x|^2) for every draw."""
    inner = np.sum(f(x, omega, beta=beta) * f(-x, omega, beta=beta), axis=-1)
    yield equal(inner, np.exp(-beta * np.sum(x * x, axis=-1)))


@law("features.trigonometric", id="RF-1",
     kills=("1/sqrt(m) missing", "|x|^2/2 with the wrong sign"))
def equal_vectors_are_estimated_exactly(f, x, omega, *, beta=1.0):
    """phi(x) . phi(x) = exp(beta |x|^2) for every draw."""
    phi = f(x, omega, beta=beta)
    yield equal(np.sum(phi * phi, axis=-1), np.exp(beta * np.sum(x * x, axis=-1)))


@law("performer.attention", id="PF-1", kills=EPS)
def one_feature_weighs_keys_exactly(f, Q, K, V, omega, *, scale=None, **options):
    """With a single positive feature the answer is softmax(log phi(K)) V, whatever the query."""
    if options:
        return
    logs = f.exact(log_positive, K, omega[:1], beta=default_scale(scale, K))[..., 0]
    p = np.exp(logs - np.max(logs, axis=-1, keepdims=True))
    p = p / np.sum(p, axis=-1, keepdims=True)
    answer = np.sum(p[..., None] * V, axis=-2)[..., None, :]
    yield equal(f(Q, K, V, omega[:1], scale=scale, **options), answer)


@law("performer.update", id="PF-6", kills=EPS)
def one_feature_weighs_patterns_exactly(f, xi, X, omega, *, beta=1.0, **options):
    """With a single positive feature the answer is softmax(log phi(X)) X, whatever the state."""
    if options:
        return
    logs = f.exact(log_positive, X, omega[:1], beta=beta)[..., 0]
    p = np.exp(logs - np.max(logs))
    yield equal(f(xi, X, omega[:1], beta=beta, **options), (p / np.sum(p)) @ X)


@law("performer.update", "performer.attention", id="AT-1", kills=("first pattern counted twice",))
def order_of_keys_and_of_features_is_irrelevant(f, *operands, **options):
    """Patterns (or keys with their values), and the rows of omega, may change places."""
    if "mask" in options:
        return
    *states, omega = operands
    turned = [states[0], *(a[..., ::-1, :] for a in states[1:])]
    yield equal(f(*turned, omega[::-1], **options), f(*operands, **options))
