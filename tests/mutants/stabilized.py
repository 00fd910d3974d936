"""Published stabilisers, guards and kernel epsilons, put in other places."""
import numpy as np

from hopref import performer
from tests.mutants import mutant
from tests.mutants.attention import linear
from tests.mutants.features import half


def feature(x, omega, beta, eps=0.0, axis=-1, norm=False, unit=None, within=False):
    x = np.sqrt(beta) * x
    w, shift = x @ omega.T, half(x)
    top = (w - shift if norm else w).max(axis, keepdims=True)
    phi = np.exp(w - shift - top + (eps if within else 0)) + (0 if within else eps)
    return phi / (np.sqrt(len(omega)) if unit is None else unit)


def axis_of(over):
    return -1 if over == "row" else None


@mutant("performer.stabilized_features")
def stabilized_after_the_norm(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    """the maximum is taken after the norm is subtracted"""
    return feature(x, omega, beta, eps, axis_of(over), norm=True)


@mutant("performer.stabilized_features")
def stabilized_over_the_wrong_axis(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    """the maximum over rows in place of features"""
    return feature(x, omega, beta, eps, -2)


@mutant("performer.stabilized_features")
def stabilized_without_m(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    """no 1/sqrt(m)"""
    return feature(x, omega, beta, eps, axis_of(over), unit=1.0)


@mutant("performer.stabilized_features")
def stabilized_eps_within(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    """eps added to the exponent"""
    return feature(x, omega, beta, eps, axis_of(over), within=True)


def stabilized(Q, K, V, omega, scale, eps=0.0, key_axis=None, mask=True, guard=None):
    beta = K.shape[-1] ** -0.5 if scale is None else scale
    q, k = feature(Q, omega, beta, eps), feature(K, omega, beta, eps, key_axis)
    k = np.where(np.broadcast_to(mask, len(K))[:, None], k, 0)
    N, D = q @ (k.T @ V), (q @ k.T).sum(-1, keepdims=True)
    return N / (D if guard is None else guard(D))


@mutant("performer.stabilized_attention")
def stabilized_per_key(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """the maximum of each key by itself changes the weights"""
    return stabilized(Q, K, V, omega, scale, eps, key_axis=-1, mask=mask)


@mutant("performer.stabilized_attention")
def stabilized_scale_twice(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """d^(-1/4) applied twice"""
    return stabilized(Q, K, V, omega, scale * K.shape[-1] ** -0.5 / 2, eps, mask=mask)


@mutant("performer.stabilized_attention")
def stabilized_mask_hides_values_only(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6,
                                      guard=0.0):
    """padded keys stay in the denominator"""
    V = V * np.broadcast_to(mask, len(K))[:, None]
    return stabilized(Q, K, V, omega, scale, eps)


@mutant("performer.stabilized_attention")
def stabilized_eps_ignored(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """no eps"""
    return stabilized(Q, K, V, omega, scale, mask=mask)


@mutant("performer.stabilized_attention")
def stabilized_eps_in_the_denominator(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6,
                                     guard=0.0):
    """eps in the denominator only"""
    return stabilized(Q, K, V, omega, scale, guard=lambda D: D + eps)


@mutant("performer.stabilized_attention")
def guard_added_once(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """the guard, not twice the guard"""
    return stabilized(Q, K, V, omega, scale, eps,
                      guard=lambda D: np.where(np.abs(D) <= guard, D + guard, D))


@mutant("performer.stabilized_attention")
def guard_added_everywhere(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """every denominator grows by the guard"""
    return stabilized(Q, K, V, omega, scale, eps, guard=lambda D: D + 2 * guard)


@mutant("performer.stabilized_attention")
def guard_ignored(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0):
    """no guard"""
    return stabilized(Q, K, V, omega, scale, eps)


F = {"relu": lambda v: np.maximum(v, 0), "abs": np.abs,
     "identity": lambda v: v, "sigmoid": lambda v: 1 / (1 + np.exp(-v))}


def generalized(Q, K, V, omega, activation, scale, eps, within=0.0, unit=1.0):
    s = K.shape[-1] ** -0.25 if scale is None else scale
    return linear(*(F[activation](s * x @ omega.T + within) / unit + eps for x in (Q, K)), V)


@mutant("performer.generalized_attention")
def generalized_eps_within(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """eps inside the activation"""
    return generalized(Q, K, V, omega, activation, scale, 0.0, within=eps)


@mutant("performer.generalized_attention")
def generalized_one_over_sqrt_m(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """1/sqrt(m) before eps is added"""
    return generalized(Q, K, V, omega, activation, scale, eps, unit=np.sqrt(2 * len(omega)))


@mutant("performer.generalized_attention")
def generalized_without_eps(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """no eps"""
    return generalized(Q, K, V, omega, activation, scale, 0.0)


@mutant("performer.generalized_attention")
def generalized_always_relu(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """the activation is ignored"""
    return generalized(Q, K, V, omega, "relu", scale, eps)


@mutant("performer.generalized_attention")
def generalized_scale_of_attention(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """d^(-1/2) for d^(-1/4)"""
    return generalized(Q, K, V, omega, activation, scale or K.shape[-1] ** -0.5, eps)


@mutant("performer.generalized_attention")
def generalized_eps_of_its_own(Q, K, V, omega, /, *, activation="relu", scale=None,
                                           eps=1e-3):
    """eps where none was asked for"""
    return generalized(Q, K, V, omega, activation, scale, eps or 1e-3)


@mutant("performer.generalized_attention")
def generalized_always_sigmoid(Q, K, V, omega, /, *, activation="relu", scale=None, eps=1e-3):
    """a sigmoid for ReLU"""
    return generalized(Q, K, V, omega, "sigmoid", scale, eps)


@mutant("performer.attention")
def trigonometric_shifted_per_key(Q, K, V, omega, /, *, features="positive", scale=None):
    """each key shifted by its own norm"""
    unit = [np.sqrt(scale) * x @ omega.T for x in (Q, K)]
    return linear(*(np.hstack([np.sin(w), np.cos(w)]) for w in unit), V)


@mutant("performer.attention")
def trigonometric_shift_of_the_values(Q, K, V, omega, /, *, features="positive", scale=None):
    """the shift taken out of the values too"""
    K = np.asarray(K)
    return performer.attention(Q, K, V * np.exp(-half(K)), omega, features=features, scale=scale)
