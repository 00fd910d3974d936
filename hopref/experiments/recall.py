"""Store pictures under a rule, show it what is left of them, and score what it gives back.

A `Recipe` names everything that decides the outcome; `recall` follows it and returns a `Recall`.
"""
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from hopref.data import corrupt, normalise
from hopref.dynamics import retrieve
from hopref.errors import DomainError
from hopref.maps import above, below
from hopref.models import attention, classical, graded, modern, performer
from hopref.projections import orthogonal
from hopref.storage import hebbian

__all__ = ["Recipe", "Recall", "RULES", "ORDERS", "stage", "recall", "draw_omegas"]

ORDERS = ("normalise-threshold", "threshold-normalise")
SIDES = {"above": above, "below": below}
TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Recipe:
    """What is stored, what is shown, and which rule answers."""
    rule: str = "modern"
    normalisation: str = "none"     # see `hopref.data.normalise`; "polar" for the binary rule
    corruption: str = "mask:0.5"    # see `hopref.data.corrupt`; hidden pixels are grey, polar +1
    order: str = ORDERS[0]          # what a thresholded rule thresholds: patterns, or pictures
    steps: int = 1                  # updates at the most
    beta: float = 25.0              # modern and performer rules
    theta: float = -0.5             # thresholded rules: components > theta ("above") become 0
    side: str = "above"
    scale: float = 1.0              # classical and graded rules: W = scale * X^T X
    zero_diagonal: bool = False
    ties: str = "keep"
    features: int = 256             # performer rules: orthogonal rows a draw, and number of draws
    draws: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Stage:
    """Pictures before a rule sees them (N, rows, columns), and after (N, d)."""
    values: np.ndarray
    damaged: np.ndarray
    patterns: np.ndarray
    cues: np.ndarray
    keys: np.ndarray                # what a thresholded rule compares: patterns and cues without
    queries: np.ndarray             # the components that it drops


@dataclass(frozen=True)
class Recall:
    """What came back; row i belongs to picture i."""
    recipe: Recipe
    stage: Stage
    results: np.ndarray             # (N, d)
    weights: np.ndarray | None      # (N, N): of the last update; None for rules without
    steps: np.ndarray
    reason: np.ndarray
    draws: np.ndarray | None = None     # (k, N, N): the weights of each draw that was averaged
    deviation: np.ndarray | None = None     # (N, d): standard error of the averaged results

    @cached_property
    def cosines(self):
        """(N, N) between results and stored patterns."""
        directions = [x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), TINY)
                      for x in (self.results, self.stage.patterns)]
        return directions[0] @ directions[1].T

    @cached_property
    def nearest(self):
        """Index of the most similar stored pattern, -1 where two are equally similar."""
        top = self.cosines.max(-1, keepdims=True)
        return np.where((self.cosines == top).sum(-1) == 1, self.cosines.argmax(-1), -1)

    @cached_property
    def right(self):
        """Whether the result is more similar to its own picture than to any other."""
        return self.nearest == np.arange(len(self.nearest))

    @cached_property
    def p_target(self):
        """The weight of the right pattern in the last update; None for rules without weights."""
        return None if self.weights is None else np.diagonal(self.weights)

    @cached_property
    def retrieved(self):
        """Right and, where the rule has weights, of more weight than all others together."""
        return self.right if self.weights is None else self.right & (self.p_target > 0.5)

    @cached_property
    def error(self):
        """|result - pattern| / |pattern|."""
        away = np.linalg.norm(self.results - self.stage.patterns, axis=-1)
        return away / np.maximum(np.linalg.norm(self.stage.patterns, axis=-1), TINY)

    @cached_property
    def signs(self):
        """Share of components with the right sign."""
        return (np.sign(self.results) == np.sign(self.stage.patterns)).mean(-1)

    @cached_property
    def returned(self):
        """The results as pictures: the normalisation of each target, undone."""
        shape = self.stage.values.shape
        values, patterns = self.stage.values.reshape(shape[0], -1), self.stage.patterns
        gain = patterns.std(-1, keepdims=True) / np.maximum(values.std(-1, keepdims=True), TINY)
        shift = patterns.mean(-1, keepdims=True) - gain * values.mean(-1, keepdims=True)
        return ((self.results - shift) / np.where(gain == 0, 1.0, gain)).reshape(shape)

    @property
    def dropped(self):
        """Share of the patterns' components that a thresholded rule sets to 0; None for others."""
        thresholded = self.recipe.rule.endswith("-thresholded")
        return float((self.stage.keys == 0).mean()) if thresholded else None

    def rows(self, names):
        """One dictionary a picture, in plain Python, for tables and JSON."""
        return [{"picture": name, "retrieved": bool(self.retrieved[i]),
                 "right": bool(self.right[i]),
                 "nearest": names[self.nearest[i]] if self.nearest[i] >= 0 else None,
                 "error": _finite(self.error[i]),
                 "p_target": None if self.weights is None else _finite(self.p_target[i]),
                 "steps": int(self.steps[i]), "reason": str(self.reason[i])}
                for i, name in enumerate(names)]


def stage(images, recipe):
    """Grey levels (N, rows, columns) as a rule of ``recipe`` will meet them."""
    polar = recipe.normalisation == "polar"
    values = normalise(images, "polar" if polar else "none")
    damaged = corrupt(values, recipe.corruption, rng=recipe.seed, fill=1.0 if polar else 0.0)

    def dressed(pictures):
        return pictures if polar else normalise(pictures, recipe.normalisation)

    def dropped(x):
        return SIDES[recipe.side](x, recipe.theta)

    def seen(pictures):
        if not recipe.rule.endswith("-thresholded"):
            return dressed(pictures)
        if recipe.order == "threshold-normalise":
            return dressed(dropped(pictures))
        return dropped(dressed(pictures))

    arrays = [dressed(values), dressed(damaged), seen(values), seen(damaged)]
    return Stage(values, damaged, *(a.reshape(len(a), math.prod(values.shape[1:])) for a in arrays))


def recall(images, recipe):
    """Follow ``recipe`` on grey levels (N, rows, columns).

    >>> from hopref.data import pictures
    >>> from hopref.experiments.recall import Recipe, recall
    >>> recall(pictures(2), Recipe(rule="modern", normalisation="unit")).retrieved
    array([ True,  True])
    """
    _refuse_nonsense(recipe)
    it = stage(images, recipe)
    return Recall(recipe, it, *RULES[recipe.rule](recipe, it))


def _refuse_nonsense(recipe):
    def refuse(what, got):
        raise DomainError(f"hopref.experiments.recall: {what}; got {got}.")

    if recipe.rule not in RULES:
        refuse(f"rule must be one of {', '.join(map(repr, RULES))}", f"rule={recipe.rule!r}")
    if recipe.order not in ORDERS:
        refuse(f"order must be one of {', '.join(map(repr, ORDERS))}", f"order={recipe.order!r}")
    if recipe.side not in SIDES:
        refuse(f"side must be one of {', '.join(map(repr, SIDES))}", f"side={recipe.side!r}")
    if recipe.order != ORDERS[0]:
        if recipe.rule not in ("modern-thresholded", "performer-thresholded"):
            refuse(f"order {recipe.order!r} must go with a thresholded modern or performer rule",
                   f"rule={recipe.rule!r}")
        if recipe.steps != 1:
            refuse(f"order {recipe.order!r} must take one step, since it thresholds pictures and a "
                   "result is none", f"steps={recipe.steps!r}")
    if recipe.rule == "classical" and recipe.normalisation != "polar":
        refuse("normalisation must be 'polar' for the classical rule",
               f"normalisation={recipe.normalisation!r}")


def _finite(x):
    return float(x) if np.isfinite(x) else None


# --- the rules: (results, weights or None, steps, reason) ----------------------------------------

def _retrieved(recipe, op, cues, *memory, weigh=None, **params):
    """Run ``op``; ``weigh`` gives the weights of the last update from the state before it."""
    run = retrieve(op, cues, *memory, max_steps=recipe.steps, **params)
    if weigh is None:
        return run.states, None, run.steps, run.reason
    before = cues
    if recipe.steps > 1:
        before = retrieve(op, cues, *memory, max_steps=recipe.steps - 1, **params).states
    return run.states, weigh(before), run.steps, run.reason


def _once(results, weights, *draws):
    steps = np.ones(len(results), dtype=int)
    return results, weights, steps, np.full(len(results), "max_steps"), *draws


def _classical(recipe, it):
    return _retrieved(recipe, classical.low_rank_update, it.cues, it.patterns, scale=recipe.scale,
                      zero_diagonal=recipe.zero_diagonal, ties=recipe.ties)


def _graded(recipe, it):
    W = hebbian(it.patterns, scale=recipe.scale, zero_diagonal=recipe.zero_diagonal)
    return _retrieved(recipe, graded.update, it.cues, W)


def _graded_thresholded(recipe, it):
    return _retrieved(recipe, graded.thresholded_update, it.cues, it.patterns, beta=recipe.scale,
                      theta=recipe.theta, side=recipe.side)


def _modern(recipe, it):
    def weigh(states):
        return modern.weights(states, it.patterns, beta=recipe.beta)

    return _retrieved(recipe, modern.update, it.cues, it.patterns, beta=recipe.beta, weigh=weigh)


def _modern_thresholded(recipe, it):
    def weigh(states):
        return modern.weights(SIDES[recipe.side](states, recipe.theta), it.keys, beta=recipe.beta)

    if recipe.order == "threshold-normalise":
        return _once(attention.softmax_attention(it.queries, it.keys, it.patterns,
                                                 scale=recipe.beta),
                     modern.weights(it.queries, it.keys, beta=recipe.beta))
    return _retrieved(recipe, modern.thresholded_update, it.cues, it.patterns, beta=recipe.beta,
                      theta=recipe.theta, side=recipe.side, weigh=weigh)


def _performer(recipe, it):
    omegas = draw_omegas(recipe, it.patterns.shape[1])
    if recipe.draws == 1:
        def weigh(states):
            return performer.weights(states, it.patterns, omegas[0], beta=recipe.beta)

        return _retrieved(recipe, performer.update, it.cues, it.patterns, omegas[0],
                          beta=recipe.beta, weigh=weigh)
    draws = _weights_of_each(omegas, it, recipe)
    mean, deviation = performer.expected_update(it.cues, it.patterns, omegas, beta=recipe.beta)
    return _once(mean, draws.mean(0), draws, deviation)


def _performer_thresholded(recipe, it):
    omegas = draw_omegas(recipe, it.patterns.shape[1])
    if recipe.draws == 1 and recipe.order == ORDERS[0]:
        def weigh(states):
            return performer.weights(SIDES[recipe.side](states, recipe.theta), it.keys, omegas[0],
                                     beta=recipe.beta)

        return _retrieved(recipe, performer.thresholded_update, it.cues, it.patterns, omegas[0],
                          beta=recipe.beta, theta=recipe.theta, side=recipe.side, weigh=weigh)
    draws = _weights_of_each(omegas, it, recipe)
    results = [performer.attention(it.queries, it.keys, it.patterns, w, scale=recipe.beta)
               for w in omegas]
    return _once(np.mean(results, axis=0), draws.mean(0), draws)


def _weights_of_each(omegas, it, recipe):
    return np.stack([performer.weights(it.queries, it.keys, w, beta=recipe.beta) for w in omegas])


def draw_omegas(recipe, d):
    """(draws, features, d) orthogonal rows; the same for the same recipe."""
    return _drawn(recipe.features, recipe.draws, d, recipe.seed)


@lru_cache(maxsize=2)
def _drawn(features, draws, d, seed):
    streams = np.random.SeedSequence(seed).spawn(draws)
    return np.stack([orthogonal(features, d, rng=s) for s in streams])


RULES = {
    "classical": _classical,
    "graded": _graded,
    "graded-thresholded": _graded_thresholded,
    "modern": _modern,
    "modern-thresholded": _modern_thresholded,
    "performer": _performer,
    "performer-thresholded": _performer_thresholded,
}
