"""Associative recall of pictures: store them, corrupt them, run a rule, score the results.

`Settings` name every choice that affects the outcome; `recall` returns a `Recall`.
"""
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hopref.data import corrupt, normalise
from hopref.errors import DomainError
from hopref.experiments.rules import ORDERS, POLAR, RULES, SIDES

__all__ = ["Settings", "Inputs", "Recall", "RULES", "POLAR", "ORDERS", "prepare", "recall"]

TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Settings:
    """Rule, preparation of the pictures, and parameters of one recall."""
    rule: str = "modern"
    normalisation: str = "none"     # see `hopref.data.normalise`; "polar" for classical and dense
    corruption: str = "mask:0.5"    # see `hopref.data.corrupt`; hidden pixels are 0, polar ones +1
    order: str = ORDERS[0]          # whether a thresholded rule thresholds patterns or pictures
    steps: int = 1                  # maximum number of updates
    beta: float = 25.0              # modern, sparse, structured and performer rules
    theta: float = -0.5             # thresholded rules: components > theta ("above") become 0
    side: str = "above"
    scale: float = 1.0              # classical and graded rules: W = scale * X^T X
    zero_diagonal: bool = False
    ties: str = "keep"
    power: int = 3                  # dense rule: the interaction is z^power
    alpha: float = 1.5              # sparse rule: entmax; 1 is softmax, 2 sparsemax
    k: int = 3                      # structured rule: number of patterns in the support
    features: int = 256             # performer rules: orthogonal rows of each draw
    draws: int = 1                  # performer rules: number of draws to average
    seed: int = 0


@dataclass(frozen=True)
class Inputs:
    """Pictures (N, rows, columns), and the arrays (N, d) that a rule is given."""
    values: np.ndarray
    damaged: np.ndarray
    patterns: np.ndarray
    cues: np.ndarray
    keys: np.ndarray                # patterns and cues after thresholding: a thresholded rule
    queries: np.ndarray             # compares these


@dataclass(frozen=True)
class Recall:
    """Results of one recall; row i belongs to picture i."""
    settings: Settings
    inputs: Inputs
    results: np.ndarray             # (N, d)
    weights: np.ndarray | None      # (N, N), of the last update; None for rules without weights
    steps: np.ndarray
    reason: np.ndarray
    energies: np.ndarray | None = None      # (3, N), of pattern, cue and result; None without one
    weights_of_draws: np.ndarray | None = None      # (k, N, N), if several draws were averaged
    standard_error: np.ndarray | None = None        # (N, d), of the averaged results

    @cached_property
    def cosines(self):
        """Cosines (N, N) between results and stored patterns."""
        directions = [x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), TINY)
                      for x in (self.results, self.inputs.patterns)]
        return directions[0] @ directions[1].T

    @cached_property
    def nearest(self):
        """Index of the most similar stored pattern, -1 if two are equally similar."""
        top = self.cosines.max(-1, keepdims=True)
        return np.where((self.cosines == top).sum(-1) == 1, self.cosines.argmax(-1), -1)

    @cached_property
    def recognised(self):
        """Whether the result is more similar to its own picture than to any other."""
        return self.nearest == np.arange(len(self.nearest))

    @cached_property
    def target_weight(self):
        """The weight of the target pattern in the last update; None for rules without weights."""
        return None if self.weights is None else np.diagonal(self.weights)

    @cached_property
    def retrieved(self):
        """Whether a picture is recognised and, if the rule has weights, has more than half."""
        if self.weights is None:
            return self.recognised
        return self.recognised & (self.target_weight > 0.5)

    @cached_property
    def relative_error(self):
        """|result - pattern| / |pattern|."""
        away = np.linalg.norm(self.results - self.inputs.patterns, axis=-1)
        return away / np.maximum(np.linalg.norm(self.inputs.patterns, axis=-1), TINY)

    @cached_property
    def sign_agreement(self):
        """Share of components with the correct sign."""
        return (np.sign(self.results) == np.sign(self.inputs.patterns)).mean(-1)

    @cached_property
    def result_images(self):
        """The results as pictures: the normalisation of each target is inverted."""
        shape = self.inputs.values.shape
        values, patterns = self.inputs.values.reshape(shape[0], -1), self.inputs.patterns
        gain = patterns.std(-1, keepdims=True) / np.maximum(values.std(-1, keepdims=True), TINY)
        shift = patterns.mean(-1, keepdims=True) - gain * values.mean(-1, keepdims=True)
        return ((self.results - shift) / np.where(gain == 0, 1.0, gain)).reshape(shape)

    @property
    def share_zeroed(self):
        """Share of pattern components that a thresholded rule sets to 0; None for other rules."""
        thresholded = self.settings.rule.endswith("-thresholded")
        return float((self.inputs.keys == 0).mean()) if thresholded else None

    def rows(self, names):
        """One dictionary for each picture, of plain Python values, for tables and JSON."""
        return [{"picture": name, "retrieved": bool(self.retrieved[i]),
                 "recognised": bool(self.recognised[i]),
                 "nearest": names[self.nearest[i]] if self.nearest[i] >= 0 else None,
                 "relative_error": _finite(self.relative_error[i]),
                 "target_weight": None if self.weights is None else _finite(self.target_weight[i]),
                 "energies": self._energies(i),
                 "steps": int(self.steps[i]), "reason": str(self.reason[i])}
                for i, name in enumerate(names)]

    def _energies(self, i):
        if self.energies is None:
            return None
        return dict(zip(("stored", "cue", "result"), map(_finite, self.energies[:, i]),
                        strict=True))


def prepare(images, settings):
    """Grey levels (N, rows, columns) as the `Inputs` of a rule."""
    polar = settings.normalisation == "polar"
    values = normalise(images, "polar" if polar else "none")
    damaged = corrupt(values, settings.corruption, rng=settings.seed, fill=1.0 if polar else 0.0)

    def normalised(pictures):
        return pictures if polar else normalise(pictures, settings.normalisation)

    def thresholded(x):
        return SIDES[settings.side](x, settings.theta)

    def compared(pictures):
        if not settings.rule.endswith("-thresholded"):
            return normalised(pictures)
        if settings.order == "threshold-normalise":
            return normalised(thresholded(pictures))
        return thresholded(normalised(pictures))

    arrays = [normalised(values), normalised(damaged), compared(values), compared(damaged)]
    d = math.prod(values.shape[1:])
    return Inputs(values, damaged, *(a.reshape(len(a), d) for a in arrays))


def recall(images, settings):
    """Store grey levels (N, rows, columns), corrupt them, and retrieve each.

    >>> from hopref.data import pictures
    >>> from hopref.experiments.recall import Settings, recall
    >>> recall(pictures(2), Settings(rule="modern", normalisation="unit")).retrieved
    array([ True,  True])
    """
    _validate(settings)
    inputs = prepare(images, settings)
    return Recall(settings, inputs, *RULES[settings.rule](settings, inputs))


def _validate(settings):
    def refuse(requirement, got):
        raise DomainError(f"hopref.experiments.recall: {requirement}; got {got}.")

    if settings.rule not in RULES:
        refuse(f"rule must be one of {', '.join(map(repr, RULES))}", f"rule={settings.rule!r}")
    if settings.order not in ORDERS:
        refuse(f"order must be one of {', '.join(map(repr, ORDERS))}", f"order={settings.order!r}")
    if settings.side not in SIDES:
        refuse(f"side must be one of {', '.join(map(repr, SIDES))}", f"side={settings.side!r}")
    if settings.order != ORDERS[0]:
        if settings.rule not in ("modern-thresholded", "performer-thresholded"):
            refuse(f"order {settings.order!r} must go with a thresholded modern or performer rule",
                   f"rule={settings.rule!r}")
        if settings.steps != 1:
            refuse(f"order {settings.order!r} must take one step, since it thresholds pictures, "
                   "not results", f"steps={settings.steps!r}")
    if settings.rule in POLAR and settings.normalisation != "polar":
        refuse(f"normalisation must be 'polar' for the {settings.rule} rule",
               f"normalisation={settings.normalisation!r}")


def _finite(x):
    return float(x) if np.isfinite(x) else None
