"""The numbers of the array arguments of a case, in the format of the candidate."""
import functools
import math
from dataclasses import dataclass

import numpy as np

from hopref.check.cases.arguments import legal, shape_of
from hopref.check.cases.families import BETA
from hopref.check.cases.levels import allows_infinity
from hopref.check.tolerance.arithmetic import largest, round_to
from hopref.dispatch.domains import Array

__all__ = ["Setting", "array", "hide", "tame"]

HIDDEN = 1e3            # factor of the hidden key that has the largest score
LOWEST = -1e11          # factor of visible keys where all hidden scores are 0
MOST_WRITTEN = 1.75     # of beta |k|^2 of the delta rule; above 2 its memories grow without bound
PASSIVE = ("omega", "omegas", "b", "bias", "mask", "S", "c", "sign_q", "sign_k", "V", "log_decay",
           "log_gates")


@dataclass(frozen=True)
class Setting:
    """The levels of one case, with the random generator and the format that belong to it."""
    op: object
    levels: dict                    # factor -> setting
    sizes: dict
    dtype: str
    rng: np.random.Generator

    @property
    def family(self):
        return self.levels["family"]

    @functools.cached_property
    def format(self):
        kind = "float32" if self.dtype == "bfloat16" else self.dtype
        ulp = 2.0**-7 if self.dtype == "bfloat16" else np.finfo(kind).eps
        return {"largest": largest(self.dtype), "ulp": ulp,
                "smallest": float(np.finfo(kind).smallest_normal)}


def array(it, k):
    """The numbers of one array argument, in the format of the candidate."""
    shape, domain = shape_of(it.op.arrays[k], it.sizes), it.op.domains[k]
    if domain.kind == "integer":
        return it.rng.integers(0, it.sizes[domain.below], shape)
    if domain.kind == "bool":
        seen = it.rng.random(shape) < 0.7
        if it.levels.get(k) == "hides rows" and seen.ndim > 1:
            seen[..., ::2, :] = False
        return seen
    x = legal(domain, numbers(it, k, shape))
    if k in ("phi_q", "phi_k", "z", "S") and "S" in it.op.arrays or k.startswith("phi"):
        x = x if it.family.default_options else np.abs(x)   # features >= 0
    if allows_infinity(domain):
        x = legal(domain, with_infinities(it, k, x))
    return x if x.dtype == np.dtype("int64") else round_to(x, it.dtype)


def with_infinities(it, k, x):
    """Scores of -inf, whole rows of them, and scores of large size."""
    huge = min(1e9, it.format["largest"] / 8)
    if it.levels.get(k) == "1e9" or it.family.infinite:
        x = np.where(it.rng.random(x.shape) < 0.3, np.where(x > 0, huge, -huge), x)
        if x.ndim > 1:
            x[..., -1:, :] = -huge / 2 * (1 + it.rng.random(x[..., -1:, :].shape))
    if it.levels.get(k) == "-inf" or it.family.infinite:
        x = np.where(it.rng.random(x.shape) < 0.3, -np.inf, x)
        defined = "empty_row" not in it.op.domains or it.levels["empty_row"]
        if x.ndim > 1 and it.family.infinite and defined:
            x[..., :1, :] = -np.inf
    return x


def numbers(it, k, shape):
    """Real numbers in the domain of the argument, in float64."""
    op, rng, family = it.op, it.rng, it.family
    dims = op.arrays[k]
    polar = {"states", "interaction"} & set(op.domains) and k in ("xi", "previous")
    if polar or dims in (("...", "d"), ("...", "e")) and "e" in op.arrays.get("W", ()):
        low = 0.0 if it.levels.get("states") == "binary" else -1.0
        return np.where(rng.random(shape) < 0.5, low, 1.0)
    x = np.rint(2 * rng.standard_normal(shape)) if family.whole else rng.standard_normal(shape)
    if "activation" in op.domains and k in ("xi", "previous"):
        inside = np.tanh(x) if not family.whole else np.sign(x)
        return (inside + 1) / 2 if it.levels.get("activation") == "sigmoid" else inside
    if dims[-2:] == ("d", "d"):
        return family.rest(weights(it, k, x), it.format)
    if k in PASSIVE or k == "z" and k in op.optional:
        return np.sign(x) + (x == 0) if k.startswith("sign") else family.rest(x, it.format)
    if x.ndim == 0 or not x.size:
        return x
    if dims[0] == "h" or k == "W" and dims == ("m", "d"):       # maps, as layers are initialised
        return x if family.whole else x / math.sqrt(shape[-1])
    return transformed(it, k, isolated(x) if family.name == "ties" else x)


def weights(it, k, x):
    """Symmetric weights, asymmetric ones where the op takes them and another level varies."""
    if it.family.name == "ties":
        return isolated(x + x.T)
    symmetric = it.op.domains[k].structural is not None or plain(it)
    return (x + x.T if it.family.whole else (x + x.T) / 2) if symmetric else x


def plain(it):
    """Whether the sizes and the layout are those of the plainest case."""
    return it.levels["layout"] == "C" and not it.levels["sizes"]


def transformed(it, k, x):
    """The numbers as the family has them; each score is a row of its own."""
    operands = [name for name in it.op.arrays if name not in it.op.optional]
    rows = it.op.arrays[k][-2:] in (("n", "d"), ("s", "d"), ("s", "r")) and x.ndim > 1
    by_entry = x.ndim < 2 or it.op.arrays[k] == ("...", "n")
    if by_entry:
        x = x[..., None]
    family = it.family
    x = x if by_entry and family.beta != BETA else family.both(x, it.format)
    x = x / moderating(it, 2 if rows or "d" in it.op.arrays[k] else 1)
    if operands[:1] == [k]:
        x = family.states(x, it.format)
    if rows or operands == [k]:
        x = family.keys(x, it.format)
    return x[..., 0] if by_entry else x


def moderating(it, factors):
    """The divisor that keeps scores, products of this many factors, at the size that they have in
    ordinary cases: with an inverse temperature that is swept, and with long vectors.

    Scores before a small temperature is applied stay in range; those before a scale may leave it.
    """
    beta, scale = (v if type(v := it.levels.get(k)) is float else 1.0 for k in ("beta", "scale"))
    least = min(1.0, 65504 / it.format["largest"])
    beta = max(beta, least) * (scale if "Q" in it.op.arrays else max(scale, least))
    return math.sqrt(beta * max(it.sizes.get("d", 1) / 64, 1)) if factors == 2 else beta


def isolated(x):
    """The array with two sites without weights, whose fields are 0."""
    x[..., -2:] = 0
    if x.shape[0] == x.shape[1]:
        x[-2:, :] = 0
    return x


def hide(it, values):
    """Enlarge the score of the first key and hide it; or show keys of scores far below 0 only."""
    for k, domain in it.op.domains.items():
        how = it.levels.get(k)
        if not (isinstance(domain, Array) and domain.kind == "bool" and k in values
                and how in ("hides the largest", "hides zeros")):
            continue
        keys = keys_hidden_by(it.op, k)
        mask, x, first = values[k], values[keys], next(iter(it.op.arrays))
        if not (isinstance(x, np.ndarray) and x.size and mask.size) or x.dtype.kind != "f":
            continue
        scores = x.shape == mask.shape and (keys == first or it.op.arrays[keys] == it.op.arrays[k])
        at = (..., slice(0, 1)) if scores else (..., slice(0, 1), slice(None))
        size = math.sqrt(it.format["largest"]) / 1e3
        x = x.astype(float)
        mask[..., 0] = False
        if how == "hides the largest":
            x[at] = np.abs(x[at]) * min(HIDDEN, size) if scores else x[at] * min(HIDDEN, size)
        else:
            x = np.abs(x) * max(LOWEST, -size)
            x[at] = 0.0
            values[first] = np.abs(values[first]) if not scores else values[first]
            mask[..., 1:] = True
        values[keys] = round_to(x, it.dtype)


def keys_hidden_by(op, mask):
    """The array whose rows a mask hides: keys, patterns, or the first array with the mask's axes.

    Causal keys follow their queries, which have the same axes.
    """
    causal = op.arrays[mask] == ("...", "l")
    axes = (("l", "d"), ("l", "r")) if causal else (("n", "d"), ("s", "d"), ("s", "r"), ("k", "d"))
    found = [name for name in op.arrays if op.arrays[name][-2:] in axes and name in op.operands]
    scores = [name for name in op.operands if op.arrays.get(name) == op.arrays[mask]]
    return found[causal] if found else next(iter([*scores, *op.arrays]))


def tame(it, values):
    """Numbers for which memories do not grow, and for which neighbourhoods hold some patterns."""
    if it.levels.get("rule") == "delta":
        square = np.sum(np.square(values["K"], dtype=float), axis=-1)
        share = MOST_WRITTEN * np.abs(np.tanh(values["beta"].astype(float)))
        values["beta"] = round_to(share / np.where(square > 0, square, 1.0), it.dtype)
    if "epanechnikov" in it.op.name and not it.family.stress_for_kernels:
        xi, X, beta = (np.asarray(values.get(k, 1.0), float) for k in ("xi", "X", "beta"))
        squares = np.sum((xi[..., None, :] - X) ** 2, axis=-1)
        middle = np.median(squares) if squares.size else 0.0
        unit = 0.9 * np.sqrt(2 / (beta * middle)) if middle > 0 else 1.0
        values.update({k: round_to(unit * x, it.dtype) for k, x in (("xi", xi), ("X", X))})
