"""The right formula called with other arguments: options ignored or clipped, entries changed."""
import numpy as np

from hopref.dispatch.operation import load as load_ops
from tests.check.cheats import Cheat, run, with_signature

ATTENTION, LINEAR = "attention.softmax_attention", "attention.linear_attention"


def called_otherwise(name, op, change, /, *args, **kwargs):
    """Declare the formula called with ``given | change(given)`` a cheat, and a call that shows it.

    ``given`` holds every argument by name; where ``change`` returns nothing the answer is right.
    """
    signature = load_ops()[op].signature

    def candidate(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        bound.arguments.update(change(dict(bound.arguments)) or {})
        return run(op, bound.args, bound.kwargs)
    Cheat(name, op, lambda: with_signature(candidate, op), ((args, kwargs),))


def ignored(op, k, when, condition, /, *args, **kwargs):
    """Declare that the option ``k`` is ignored where the condition holds."""
    default = load_ops()[op].signature.parameters[k].default
    called_otherwise(f"{k} ignored {when}", op,
                     lambda it: {k: default} if condition(it) else None, *args, **kwargs)


def limited(op, name, k, limit, /, *args, **kwargs):
    """Declare that the number ``k`` is replaced by ``limit`` of it."""
    called_otherwise(name, op, lambda it: {k: limit(it[k])}, *args, **kwargs)


def altered(op, name, k, change, /, *args, **kwargs):
    """Declare that the array ``k`` is altered."""
    called_otherwise(name, op, lambda it: {k: change(np.array(it[k]))}, *args, **kwargs)


def array(k):
    return lambda it: isinstance(it[k], np.ndarray)


# ---- options that meet --------------------------------------------------------------------------

Q, K, V = [[1.0, 0.5], [0.25, -1.0]], [[1.0, 0.0], [0.0, 2.0]], [[1.0, 3.0], [2.0, -1.0]]
SEEN = np.array([[True, False], [True, True]])
BIAS = np.array([[0.5, -0.5], [1.0, 0.0]])

ignored(ATTENTION, "mask", "when causal", lambda it: it["causal"], Q, K, V, causal=True,
        mask=np.array([[True, True], [False, True]]))
ignored(ATTENTION, "mask", "with a bias", array("bias"), Q, K, V, mask=SEEN, bias=BIAS)
ignored(ATTENTION, "bias", "with a mask", array("mask"), Q, K, V, mask=SEEN, bias=BIAS)
ignored(ATTENTION, "bias", "when causal", lambda it: it["causal"], Q, K, V, causal=True, bias=BIAS)
ignored(ATTENTION, "scale", "with a mask", array("mask"), Q, K, V, mask=SEEN, scale=2.0)
ignored(ATTENTION, "scale", "with a bias", array("bias"), Q, K, V, bias=BIAS, scale=2.0)
ignored(ATTENTION, "scale", "when causal", lambda it: it["causal"], Q, K, V, causal=True, scale=2.0)
ignored(ATTENTION, "align", "with a mask", array("mask"), Q, K[:1], V[:1], causal=True,
        align="start", mask=np.array([[True], [True]]))
ignored(ATTENTION, "empty_row", "when causal", lambda it: it["causal"], Q, K[:1], V[:1],
        causal=True, empty_row="nan")
ignored(ATTENTION, "causal", "with a bias", array("bias"), Q, K, V, causal=True, bias=BIAS)
ignored(ATTENTION, "causal", "from 10 queries on", lambda it: it["Q"].shape[-2] >= 10,
        np.ones((10, 1)), np.ones((10, 1)), np.arange(10.0)[:, None], causal=True)
ignored(ATTENTION, "mask", "from 10 keys on", lambda it: it["K"].shape[-2] >= 10,
        np.ones((1, 1)), np.ones((10, 1)), np.arange(10.0)[:, None], mask=np.arange(10)[None] < 5)
ignored(ATTENTION, "mask", "without leading axes", lambda it: np.ndim(it["mask"]) == 2, Q, K, V,
        mask=SEEN)
ignored("maps.entmax_loss", "where", "of one row", lambda it: np.ndim(it["where"]) == 1,
        [3.0, 1.0, 2.0], [0.5, 0.5, 0.0], where=np.array([True, True, False]))
ignored("maps.softmax", "beta", "with a mask", array("where"), [1.0, 0.0, 0.5], beta=3.0,
        where=np.array([True, True, False]))
ignored("maps.softmax", "beta", "with a bias", array("bias"), [1.0, 0.0], beta=3.0,
        bias=np.array([0.0, 1.0]))
ignored("maps.softmax", "where", "with a bias", array("bias"), [1.0, 0.0, 0.5],
        bias=np.array([0.0, 1.0, 0.0]), where=np.array([True, True, False]))
ignored("maps.softmax", "bias", "with a mask", array("where"), [1.0, 0.0, 0.5],
        bias=np.array([0.0, 1.0, 0.0]), where=np.array([True, True, False]))
ignored("maps.sparsemax", "beta", "with a mask", array("where"), [0.5, 0.0, 0.25], beta=0.5,
        where=np.array([True, True, False]))
ignored("maps.entmax", "alpha", "with a mask", array("where"), [0.5, 0.0, 0.25], alpha=1.25,
        where=np.array([True, True, False]))
ignored("maps.entmax", "beta", "at alpha = 2", lambda it: it["alpha"] == 2, [0.5, 0.0], beta=0.5,
        alpha=2.0)
ignored("maps.top_k", "beta", "with a mask", array("where"), [0.5, 0.0, 0.25], k=2, beta=0.5,
        where=np.array([True, True, False]))
ignored(LINEAR, "mask", "with an eps", lambda it: it["eps"] > 0, [[1.0]], [[1.0], [2.0]],
        [[1.0], [2.0]], mask=np.array([True, False]), eps=0.5)
ignored(LINEAR, "eps", "with a mask", array("mask"), [[1.0]], [[1.0], [2.0]], [[1.0], [2.0]],
        mask=np.array([True, False]), eps=0.5)
ignored(LINEAR, "z", "with a mask", array("mask"), [[1.0]], [[1.0], [2.0]], [[1.0], [2.0]],
        mask=np.array([True, False]), S=np.array([[3.0]]), z=np.array([4.0]))
ignored("performer.attention", "scale", "with trigonometric features",
        lambda it: it["features"] == "trigonometric", [[0.5]], [[1.0], [0.25]], [[1.0], [2.0]],
        [[0.5], [0.25]], features="trigonometric", scale=0.5)
ignored("performer.attention", "mask", "with hyperbolic features",
        lambda it: it["features"] == "hyperbolic", [[0.5]], [[1.0], [0.25]], [[1.0], [2.0]],
        [[0.5]], features="hyperbolic", mask=np.array([True, False]))
ignored("performer.attention", "features", "with a mask", array("mask"), [[0.5]],
        [[1.0], [0.25], [0.0]], [[1.0], [2.0], [0.0]], [[0.5]], features="hyperbolic",
        mask=np.array([True, True, False]))
ignored("classical.update", "ties", "in binary states", lambda it: it["states"] == "binary",
        [0.0], [[0.0]], ties="plus", states="binary")
ignored("classical.update", "b", "with ties=plus", lambda it: it["ties"] == "plus",
        [1.0], [[1.0]], [2.0], ties="plus")
ignored("classical.update", "states", "with a threshold", array("b"), [1.0], [[1.0]], [2.0],
        states="binary")
ignored("graded.update", "beta", "with the sigmoid", lambda it: it["activation"] == "sigmoid",
        [0.5], [[1.0]], activation="sigmoid", beta=2.0)
ignored("graded.update", "b", "with the sigmoid", lambda it: it["activation"] == "sigmoid",
        [0.5], [[1.0]], [0.25], activation="sigmoid")
ignored("sparse.update", "beta", "at alpha = 2", lambda it: it["alpha"] == 2, [0.5],
        [[0.5], [-0.25]], alpha=2.0, beta=2.0)
ignored("storage.hebbian", "zero_diagonal", "with a scale", lambda it: it["scale"] != 1,
        [[1.0, 2.0]], scale=0.5, zero_diagonal=True)
ignored("layers.layer_norm", "eps", "with a gain", array("gain"), [1.0, -1.0], eps=1.0,
        gain=np.array([2.0, 3.0]))
ignored("modern.thresholded_update", "theta", "below", lambda it: it["side"] == "below",
        [0.5, 1.0], [[0.5, 0.0], [0.0, 0.75]], theta=0.6, side="below")

# ---- numbers ------------------------------------------------------------------------------------

XI, X = [0.5, -0.25], [[1.0, 0.5], [0.0, 1.0], [-1.0, 2.0]]
for it in ("modern.update", "modern.energy", "modern.weights", "sparse.update",
           "features.positive"):
    limited(it, "beta below 1e-3 taken as 1e-3", "beta", lambda b: max(b, 1e-3), XI, X, beta=1e-6)
    limited(it, "beta in multiples of a quarter", "beta", lambda b: np.ceil(4 * b) / 4, XI, X,
            beta=0.3)
limited("modern.update", "beta above 1e5 taken as 1e5", "beta", lambda b: min(b, 1e5), [0.0, 1e-5],
        X, beta=1e6)
limited("modern.weights", "beta ignored above 100", "beta", lambda b: b if b <= 100 else 1.0,
        [0.0, 0.01], X, beta=101.0)
limited("maps.softmax", "beta above 1e5 taken as 1e5", "beta", lambda b: min(b, 1e5), [0.0, 1e-6],
        beta=1e6)
limited("maps.softmax", "beta below 1e-3 taken as 1e-3", "beta", lambda b: max(b, 1e-3),
        [0.0, 1000.0], beta=1e-6)
for it, args in (("maps.entmax", ([0.5, 0.0, -0.25],)), ("sparse.update", (XI, X))):
    limited(it, "alpha above 1.5 taken as 1.5", "alpha", lambda a: min(a, 1.5), *args, alpha=1.75)
    limited(it, "alpha above 2 taken as 2", "alpha", lambda a: min(a, 2.0), *args, alpha=3.0)
    limited(it, "alpha below 1.05 taken as 1", "alpha", lambda a: a if a >= 1.05 else 1.0, *args,
            alpha=1.04)
    limited(it, "alpha below 1.01 taken as 1", "alpha", lambda a: a if a >= 1.01 else 1.0, *args,
            alpha=1.004)
    limited(it, "alpha near 2 taken as 2", "alpha", lambda a: 2.0 if abs(a - 2) < 0.1 else a, *args,
            alpha=1.95)
    limited(it, "alpha in multiples of a quarter", "alpha", lambda a: np.ceil(4 * a) / 4, *args,
            alpha=1.3)
limited("maps.entmax_threshold", "alpha below 1.02 taken as 1.02", "alpha", lambda a: max(a, 1.02),
        [0.5, 0.0, -0.25], alpha=1.004)
limited("maps.normmax", "gamma above 2 taken as 2", "gamma", lambda a: min(a, 2.0), [0.25, 0.0],
        gamma=5.0)
limited("sparse.normmax_energy", "gamma above 8 taken as 8", "gamma", lambda a: min(a, 8.0), XI, X,
        beta=0.125, gamma=10.0)
for it, args in (("maps.top_k", (np.arange(6.0) / 8,)), ("maps.k_subsets", (np.arange(6.0) / 8,)),
                 ("structured.top_k_update", ([0.5], np.arange(6.0)[:, None] / 8))):
    limited(it, "k above 4 taken as 4", "k", lambda k: min(k, 4), *args, k=5)
    limited(it, "k below 2 taken as 2", "k", lambda k: max(k, 2), *args, k=1)
limited("dense.energy", "n above 3 taken as 3", "n", lambda n: min(n, 3), [1.0, -1.0],
        [[1.0, 1.0], [1.0, -1.0]], n=4)
limited("modern.thresholded_update", "theta above 0 taken as 0", "theta", lambda t: min(t, 0.0),
        [0.25, -1.0], X, theta=0.5)
limited("structured.window_update", "width above 6 taken as 6", "width", lambda w: min(w, 6),
        np.ones((9, 1)), np.arange(9.0)[:, None], width=7)
limited("structured.window_update", "dilation above 2 taken as 2", "dilation", lambda w: min(w, 2),
        np.ones((9, 1)), np.arange(9.0)[:, None], width=3, dilation=3)

# ---- entries ------------------------------------------------------------------------------------

W = [[-3.0, -1.0], [1.0, 0.5]]
for it in ("classical.field", "classical.update", "graded.update"):
    altered(it, "W symmetrised", "W", lambda W: (W + W.T) / 2, [1.0, -1.0], W)
    altered(it, "diagonal dropped", "W", lambda W: W - np.diag(np.diag(W)), [1.0, -1.0], W)
    altered(it, "the upper triangle alone is read", "W", lambda W: np.triu(W) + np.triu(W, 1).T,
            [1.0, -1.0], W)
altered("classical.energy", "diagonal dropped", "W", lambda W: W - np.diag(np.diag(W)),
        [1.0, -1.0], [[1.0, 2.0], [2.0, 3.0]])
altered("classical.update", "negative diagonal dropped", "W",
        lambda W: W - np.diag(np.minimum(np.diag(W), 0)), [1.0], [[-1.0]])
altered("modern.update", "numbers above 1e6 clipped", "X", lambda X: np.clip(X, -1e6, 1e6),
        [1.0], [[1e7], [0.0]])
altered("modern.update", "numbers below 1e-6 taken as 0", "X",
        lambda X: np.where(np.abs(X) < 1e-6, 0, X), [1.0], [[1e-7], [2e-7]])
altered("modern.update", "patterns of zeros left out as padding", "X",
        lambda X: X[np.any(X != 0, axis=-1)] if np.any(X) else X, [1.0], [[1.0], [0.0]])
altered("modern.energy", "numbers below 1e-6 taken as 0", "xi",
        lambda x: np.where(np.abs(x) < 1e-6, 0, x), [1e-7], [[1.0], [0.5]])
called_otherwise("keys of zeros hidden as padding", ATTENTION,
                 lambda it: {"mask": it["mask"] & np.any(np.asarray(it["K"]) != 0, axis=-1)[
                     ..., None, :]} if np.any(it["K"]) else None,
                 [[1.0]], [[1.0], [0.0]], [[2.0], [3.0]])
altered("attention.softmax_attention", "values above 1e6 clipped", "V",
        lambda V: np.clip(V, -1e6, 1e6), Q, K, [[1e7], [2e7]])
altered("attention.linear_attention", "values below 1e-6 taken as 0", "V",
        lambda V: np.where(np.abs(V) < 1e-6, 0, V), [[1.0]], [[1.0]], [[1e-7]])
altered("graded.update", "states rounded to signs", "xi", np.sign, [0.5], [[1.0]])
altered("classical.update", "weights below 1e-6 taken as 0", "W",
        lambda W: np.where(np.abs(W) < 1e-6, 0, W), [-1.0], [[-1e-7]])
altered("storage.hebbian", "sums of signs in int8, other patterns rounded", "X", np.rint,
        [[0.25, 1.0]])
altered("structured.update", "hidden in the first row alone", "support",
        lambda s: s | (np.arange(len(s)) > 0)[:, None] if s.ndim > 1 else s,
        [[0.5], [1.0]], [[1.0], [-1.0]], np.array([[True, False], [True, False]]))
altered("maps.softmax", "scores below -1e6 clipped", "z", lambda z: np.maximum(z, -1e6),
        [-2e6, -3e6])
altered("maps.sparsemax", "one of equal scores kept", "z",
        lambda z: z - 1e-6 * np.arange(z.shape[-1]), [0.5, 0.5])
