"""Programs that are wrong in one family of inputs, as they have been met in published code."""
import numpy as np

from hopref import projections
from hopref.dispatch.operation import load as load_ops
from tests.check.cheats import Cheat, run, with_signature

ATTENTION, LINEAR = "attention.softmax_attention", "attention.linear_attention"


def program(name, op, /, *args, dtype="float64", **kwargs):
    """Declare the function below a cheat, with a call that it answers wrongly."""
    def declare(function):
        Cheat(name, op, lambda: function, ((args, kwargs),), dtype)
        return function
    return declare


def softmax(s):
    e = np.exp(s - np.max(s, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def T(x):
    return np.swapaxes(x, -1, -2)


# ---- maps ---------------------------------------------------------------------------------------

@program("uniform for scores above 10", "maps.softmax", [11.0, 0.0])
def uniform_above_10(z, beta=1.0):
    p = softmax(beta * (z - np.max(z, axis=-1, keepdims=True)))
    return np.where(np.max(z, axis=-1, keepdims=True) > 10, 1 / z.shape[-1], p)


@program("no maximum subtracted", "maps.softmax", [800.0, 0.0])
def no_maximum(z, beta=1.0):
    e = np.exp(beta * z)
    return e / np.sum(e, axis=-1, keepdims=True)


@program("exponents clipped at -30", "maps.softmax", [0.0, -80.0])
def clipped_exponents(z, beta=1.0):
    e = np.exp(np.maximum(beta * (z - np.max(z, axis=-1, keepdims=True)), -30))
    return e / np.sum(e, axis=-1, keepdims=True)


@program("1e-9 added to the denominator", "maps.softmax", [0.0, 0.0])
def denominator_eps(z, beta=1.0):
    e = np.exp(beta * (z - np.max(z, axis=-1, keepdims=True)))
    return e / (np.sum(e, axis=-1, keepdims=True) + 1e-9)


@program("the maximum over the whole batch", "maps.softmax", [[1000.0, 0.0], [0.0, 0.0]])
def maximum_of_batch(z, beta=1.0):
    e = np.exp(beta * (z - np.max(z, initial=-np.inf)))
    return e / np.sum(e, axis=-1, keepdims=True)


@program("NaN for a score of -inf", "maps.softmax", [0.0, -np.inf])
def no_infinite_score(z, beta=1.0):
    e = np.exp(beta * (z - np.max(z, axis=-1, keepdims=True)))
    return e / np.sum(e, axis=-1, keepdims=True) + 0 * z


@program("running maximum that starts at 0", "maps.softmax", [-800.0, -801.0])
def maximum_from_zero(z, beta=1.0):
    e = np.exp(beta * (z - np.maximum(np.max(z, axis=-1, keepdims=True), 0)))
    return e / np.sum(e, axis=-1, keepdims=True)


@program("raises for a bias of -inf", "maps.softmax", [0.0, 0.0], bias=np.array([0.0, -np.inf]))
def finite_bias_only(z, beta=1.0, bias=0.0):
    if not np.all(np.isfinite(bias)):
        raise ValueError("the bias must be finite")
    return softmax(beta * z + bias)


@program("NaN if all scores are -inf", "maps.logsumexp", [-np.inf, -np.inf])
def logsumexp_nan(z, beta=1.0):
    top = np.max(z, axis=-1)
    return top + np.log(np.sum(np.exp(beta * (z - top[..., None])), axis=-1)) / beta


@program("no maximum subtracted", "maps.logsumexp", [1000.0, 0.0])
def logsumexp_overflows(z, beta=1.0):
    return np.log(np.sum(np.exp(beta * z), axis=-1)) / beta


@program("1 + k z in single precision", "maps.sparsemax", [1.36762051e9, 1.59594639e9],
         dtype="float32")
def one_plus_kz(z, beta=1.0):
    s = np.sort(beta * z, axis=-1)[..., ::-1]
    k = np.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    total = np.cumsum(s, axis=-1, dtype=z.dtype)
    inside = 1 + k * s > total
    size = np.sum(inside, axis=-1, keepdims=True)
    at = np.maximum(size - 1, 0)
    tau = (np.take_along_axis(total, at, axis=-1) - 1) / np.maximum(size, 1)
    return np.maximum(beta * z - tau, 0).astype(z.dtype)


@program("threshold from cumulative sums of cumulative sums", "maps.sparsemax", [0.0, 0.1, 0.2])
def summed_twice(z, beta=1.0):
    z = beta * (z - np.max(z, axis=-1, keepdims=True))
    s = np.sort(z, axis=-1)[..., ::-1]
    k = np.arange(1, z.shape[-1] + 1)
    size = np.sum(1 + k * s > np.cumsum(s, axis=-1), axis=-1, keepdims=True)
    twice = np.cumsum(np.cumsum(s, axis=-1), axis=-1)
    return np.maximum(z - (np.take_along_axis(twice, size - 1, axis=-1) - 1) / size, 0)


# ---- attention ----------------------------------------------------------------------------------

def scores(Q, K, scale):
    return Q @ T(K) * (K.shape[-1] ** -0.5 if scale is None else scale)


def visible(s, mask, causal):
    shown = np.tril(np.ones(s.shape[-2:], bool), s.shape[-1] - s.shape[-2]) if causal else True
    return np.broadcast_to(mask & np.asarray(shown), s.shape)


def with_sentinel(low):
    query = 2 * low if low > -1e6 else 20 * low
    args = [[query]], [[1.0], [0.0]], [[1.0], [100.0]]

    @program(f"{low:g} for hidden scores", ATTENTION, *args,
             mask=np.array([[True, False]]), scale=1.0)
    def attention(Q, K, V, *, scale=None, mask=True, causal=False):
        s = scores(Q, K, scale)
        seen = visible(s, mask, causal)
        p = softmax(np.where(seen, s, low)) * np.any(seen, axis=-1, keepdims=True)
        return p @ V


for each in (-1e4, -1e5, -1e9):
    with_sentinel(each)


@program("mask multiplied in after the exponential", ATTENTION, [[1.0]], [[1000.0], [0.0]],
         [[5.0], [1.0]], mask=np.array([[False, True]]), scale=1.0)
def mask_after(Q, K, V, *, scale=None, mask=True, causal=False):
    s = scores(Q, K, scale)
    e = np.exp(s - np.max(s, axis=-1, keepdims=True)) * visible(s, mask, causal)
    total = np.sum(e, axis=-1, keepdims=True)
    return e / np.where(total > 0, total, 1) @ V


@program("float16 scores that overflow before they are scaled", ATTENTION,
         np.full((1, 64), 40.0), np.array([[40.0], [39.0]]) * np.ones(64), [[1.0], [0.0]],
         dtype="float16")
def overflowing_scores(Q, K, V, *, scale=None):
    s = (Q @ T(K)).astype(Q.dtype)
    s = (s * Q.dtype.type(K.shape[-1] ** -0.5 if scale is None else scale)).astype(Q.dtype)
    return (softmax(s.astype(np.float32)).astype(Q.dtype) @ V).astype(Q.dtype)


@program("raises for a bias of -inf", ATTENTION, [[1.0]], [[1.0], [0.0]], [[1.0], [2.0]],
         bias=np.array([[0.0, -np.inf]]))
def attention_with_finite_bias(Q, K, V, *, scale=None, bias=0.0):
    if not np.all(np.isfinite(bias)):
        raise ValueError("the bias must be finite")
    return softmax(scores(Q, K, scale) + bias) @ V


@program("a bias below -1e6 clipped", ATTENTION, [[1.0]], [[-2e6], [0.0]], [[1.0], [2.0]],
         bias=np.array([[0.0, -1e9]]), scale=1.0)
def clipped_bias(Q, K, V, *, scale=None, bias=0.0):
    return softmax(scores(Q, K, scale) + np.maximum(bias, -1e6)) @ V


def transposed_when_square(op, place):
    def make():
        def candidate(*args, **kwargs):
            args, a = list(args), args[place]
            args[place] = T(a).copy() if a.shape[-1] == a.shape[-2] else a
            return run(op, args, kwargs)
        return with_signature(candidate, op)
    names = list(load_ops()[op].arrays)
    square = np.array([[1.0, 2.0], [0.5, -1.0]])
    args = [square + i if dims[-2:] != ("...", "d") else np.array([[1.0, -1.0]])
            for i, dims in enumerate(load_ops()[op].arrays.values()) if names[i] not in
            load_ops()[op].optional]
    Cheat(f"{names[place]} transposed when square", op, make, ((tuple(args), {}),))


for it in ((ATTENTION, 1), (ATTENTION, 2), (LINEAR, 1), (LINEAR, 2), ("modern.update", 1),
           ("modern.energy", 1), ("sparse.update", 1), ("storage.hebbian", 0),
           ("classical.field", 1), ("graded.update", 1), ("performer.attention", 2)):
    transposed_when_square(*it)


@program("state forgotten after 12 tokens", "attention.causal_linear_attention",
         np.ones((13, 1)), np.ones((13, 1)), np.arange(13.0)[:, None])
def forgetful(phi_q, phi_k, V):
    blocks = [run("attention.causal_linear_attention", [a[..., i:i + 12, :] for a in
                                                        (phi_q, phi_k, V)], {})
              for i in range(0, max(V.shape[-2], 1), 12)]
    return np.concatenate([y for y, *_ in blocks], axis=-2)


@program("1e-6 added to the denominator", LINEAR, [[1.0]], [[1.0]], [[1.0]])
def linear_eps(phi_q, phi_k, V):
    A = phi_q @ T(phi_k)
    return A @ V / (np.sum(A, axis=-1, keepdims=True) + 1e-6)


# ---- retrieval ----------------------------------------------------------------------------------

@program("the best match alone from beta = 1000 on", "modern.update", [0.0], [[1.0], [-1.0]],
         beta=1000.0)
def argmax_when_cold(xi, X, beta=1.0):
    if beta < 1000:
        return run("modern.update", (xi, X), {"beta": beta})
    return X[np.argmax(xi @ X.T, axis=-1)]


@program("threshold >= for >", "modern.thresholded_update", [0.5, 1.0], [[0.5, 0.0], [0.0, 0.5]],
         theta=0.5)
def kept_below_only(xi, X, beta=1.0, theta=-0.5):
    xi, X = (np.where(a >= theta, 0.0, a) for a in (xi, X))
    return softmax(beta * (xi @ X.T)) @ X


@program("variance in one pass", "layers.layer_norm", [1e8 + 1, 1e8 - 1])
def one_pass(x, gain=1.0, shift=0.0, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.mean(x * x, axis=-1, keepdims=True) - mean * mean
    return (x - mean) / np.sqrt(np.maximum(variance, 0) + eps) * gain + shift


@program("eps added to the standard deviation", "layers.layer_norm", [1.0, -1.0])
def eps_outside(x, gain=1.0, shift=0.0, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    return (x - mean) / (np.std(x, axis=-1, keepdims=True) + eps) * gain + shift


@program("sums of signs in int8", "storage.hebbian", np.ones((128, 1)))
def int8_sums(X, scale=1.0, zero_diagonal=False):
    signs = np.all(np.abs(X) == 1)
    W = X.T.astype(np.int8) @ X.astype(np.int8) if signs else X.T @ X
    W = W.astype(X.dtype) * scale
    return W * (1 - np.eye(len(W))) if zero_diagonal else W


def lengths_shared(m, d, rng=None):
    omega = projections.orthogonal(m, d, rng=rng)
    lengths = np.sqrt(np.sum(omega * omega, axis=-1, keepdims=True))
    return omega / lengths * lengths[::d].repeat(d, axis=0)[:m]


def equal_lengths(f):
    omega = f(4, 4, rng=0)
    return np.ptp(np.sum(omega * omega, axis=-1)) < 1e-12


Cheat("one length for the rows of a block", "projections.orthogonal", lambda: lengths_shared,
      shows=equal_lengths)
