"""Rules of a recall: (settings, inputs) -> (results, weights, steps, reason, energies, ...).

The energies (3, N) are those of the patterns, the cues and the results.  Weights and energies are
None for a rule that has none.
"""
from functools import lru_cache

import numpy as np

from hopref.dynamics import retrieve
from hopref.maps import above, below
from hopref.models import (
    attention,
    classical,
    dense,
    graded,
    modern,
    performer,
    sparse,
    structured,
    supports,
)
from hopref.progress import progress
from hopref.projections import orthogonal
from hopref.storage import hebbian

__all__ = ["RULES", "POLAR", "ORDERS", "SIDES", "draw_omegas"]

CHUNK = 2**21                               # numbers in an array of the dense rule
ORDERS = ("normalise-threshold", "threshold-normalise")
SIDES = {"above": above, "below": below}


def classical_rule(settings, inputs):
    """The binary network with Hebbian weights."""
    return _iterate(settings, inputs, classical.low_rank_update, inputs.patterns,
                    scale=settings.scale, zero_diagonal=settings.zero_diagonal,
                    ties=settings.ties)


def graded_rule(settings, inputs):
    """The graded network with Hebbian weights."""
    W = hebbian(inputs.patterns, scale=settings.scale, zero_diagonal=settings.zero_diagonal)
    return _iterate(settings, inputs, graded.update, W)


def graded_thresholded_rule(settings, inputs):
    """The graded network, which compares thresholded patterns."""
    return _iterate(settings, inputs, graded.thresholded_update, inputs.patterns,
                    beta=settings.scale, **_threshold(settings))


def dense_rule(settings, inputs):
    """The dense associative memory with a polynomial, all components at once."""
    X, cues, n = inputs.patterns, inputs.cues, settings.power
    some = max(1, CHUNK // X.size)          # states, each of which takes arrays of the size of X
    runs = [retrieve(dense.update, cues[i:i + some], X, max_steps=settings.steps, n=n)
            for i in progress(range(0, len(cues), some), label="dense")]
    results, steps, reason = (np.concatenate([getattr(run, field) for run in runs])
                              for field in ("states", "steps", "reason"))
    energies = np.stack([dense.energy(x, X, n=n) for x in (X, cues, results)])
    return results, None, steps, reason, energies


def modern_rule(settings, inputs):
    """The modern network."""
    X, beta = inputs.patterns, settings.beta
    return _iterate(settings, inputs, modern.update, X, beta=beta,
                    weights_at=lambda xi: modern.weights(xi, X, beta=beta))


def modern_thresholded_rule(settings, inputs):
    """The modern network, which compares thresholded patterns."""
    keys, X, beta = inputs.keys, inputs.patterns, settings.beta
    if settings.order == "threshold-normalise":
        return _after_one_step(
            attention.softmax_attention(inputs.queries, keys, X, scale=beta),
            modern.weights(inputs.queries, keys, beta=beta))
    return _iterate(
        settings, inputs, modern.thresholded_update, X, beta=beta, **_threshold(settings),
        weights_at=lambda xi: modern.weights(_thresholded(settings, xi), keys, beta=beta))


def sparse_rule(settings, inputs):
    """The modern network with entmax in place of softmax."""
    X, options = inputs.patterns, {"beta": settings.beta, "alpha": settings.alpha}
    return _iterate(settings, inputs, sparse.update, X, **options,
                    weights_at=lambda xi: sparse.weights(xi, X, **options))


def structured_rule(settings, inputs):
    """The modern network over the k patterns of largest score."""
    X, k, beta = inputs.patterns, settings.k, settings.beta
    return _iterate(
        settings, inputs, structured.top_k_update, X, k=k, beta=beta,
        weights_at=lambda xi: structured.weights(xi, X, supports.largest(xi @ X.T, k=k),
                                                 beta=beta))


def performer_rule(settings, inputs):
    """The modern network with random features, for one draw or averaged over several."""
    X, beta = inputs.patterns, settings.beta
    omegas = draw_omegas(settings, X.shape[1])
    if settings.draws == 1:
        return _iterate(settings, inputs, performer.update, X, omegas[0], beta=beta,
                        weights_at=lambda xi: performer.weights(xi, X, omegas[0], beta=beta))
    weights = _weights_of_draws(omegas, settings, inputs)
    mean, standard_error = performer.expected_update(inputs.cues, X, omegas, beta=beta)
    return _after_one_step(mean, weights.mean(0), weights, standard_error)


def performer_thresholded_rule(settings, inputs):
    """The same, which compares thresholded patterns."""
    keys, X, beta = inputs.keys, inputs.patterns, settings.beta
    omegas = draw_omegas(settings, X.shape[1])
    if settings.draws == 1 and settings.order == ORDERS[0]:
        return _iterate(
            settings, inputs, performer.thresholded_update, X, omegas[0], beta=beta,
            **_threshold(settings), weights_at=lambda xi: performer.weights(
                _thresholded(settings, xi), keys, omegas[0], beta=beta))
    weights = _weights_of_draws(omegas, settings, inputs)
    results = [performer.attention(inputs.queries, keys, X, omega, scale=beta) for omega in omegas]
    return _after_one_step(np.mean(results, axis=0), weights.mean(0), weights)


RULES = {
    "classical": classical_rule,
    "graded": graded_rule,
    "graded-thresholded": graded_thresholded_rule,
    "dense": dense_rule,
    "modern": modern_rule,
    "modern-thresholded": modern_thresholded_rule,
    "sparse": sparse_rule,
    "structured": structured_rule,
    "performer": performer_rule,
    "performer-thresholded": performer_thresholded_rule,
}
POLAR = ("classical", "dense")              # rules of patterns of -1 and 1


def _iterate(settings, inputs, update, *memory, weights_at=None, **params):
    """Run ``update``; ``weights_at(xi)`` are the weights of an update from the states xi."""
    run = retrieve(update, inputs.cues, *memory, max_steps=settings.steps, **params)
    energies = _energies(update, inputs, run, memory, params)
    if weights_at is None:
        return run.states, None, run.steps, run.reason, energies
    before = inputs.cues
    if settings.steps > 1:
        before = retrieve(update, before, *memory, max_steps=settings.steps - 1, **params).states
    return run.states, weights_at(before), run.steps, run.reason, energies


def _energies(update, inputs, run, memory, params):
    if run.energies is None:
        return None
    stored = retrieve(update, inputs.patterns, *memory, max_steps=1, **params).energies[0]
    return np.stack([stored, run.energies[0], run.energies[-1]])


def _after_one_step(results, weights, *more):
    steps = np.ones(len(results), dtype=int)
    return results, weights, steps, np.full(len(results), "max_steps"), None, *more


def _threshold(settings):
    return {"theta": settings.theta, "side": settings.side}


def _thresholded(settings, xi):
    return SIDES[settings.side](xi, settings.theta)


def _weights_of_draws(omegas, settings, inputs):
    return np.stack([performer.weights(inputs.queries, inputs.keys, omega, beta=settings.beta)
                     for omega in omegas])


def draw_omegas(settings, d):
    """Orthogonal rows (draws, features, d), a function of the settings alone."""
    return _cached_omegas(settings.features, settings.draws, d, settings.seed)


@lru_cache(maxsize=2)
def _cached_omegas(features, draws, d, seed):
    streams = np.random.SeedSequence(seed).spawn(draws)
    return np.stack([orthogonal(features, d, rng=s) for s in streams])
