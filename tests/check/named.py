"""Programs with bugs of known names, written as other people write them, without the bug table.

`NAMED` has the op, the program and the name that the diagnosis must give first; `PAIRS` programs
with two bugs; `UNNAMED` wrong programs without a known name.
"""
import numpy as np

import hopref

__all__ = ["NAMED", "PAIRS", "UNNAMED"]

NAMED, PAIRS, UNNAMED = [], [], []


def known(like, name, table=NAMED):
    def declare(program):
        table.append((like, name, program))
        return program
    return declare


# -- retrieval ------------------------------------------------------------------------------------

def normalised(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def retrieval(name, weigh, table=NAMED, end=lambda y, xi, X: y):
    """A program ``weigh(xi, X, beta) @ X``."""
    def retrieve(xi, X, beta=1.0):
        return end(weigh(xi, X, beta) @ X, xi, X)
    table.append(("modern.update", name, retrieve))


def over_the_states(xi, X, beta):
    s = beta * np.einsum("...d,nd->...n", xi, X)
    s = np.atleast_2d(s)
    e = np.exp(s - s.max(axis=-2, keepdims=True))
    return (e / e.sum(axis=-2, keepdims=True)).reshape(*xi.shape[:-1], -1)


def without_maximum(xi, X, beta):
    e = np.exp(beta * (xi @ X.T))
    return e / e.sum(axis=-1, keepdims=True)


def with_eps(eps):
    def weigh(xi, X, beta):
        s = beta * (xi @ X.T)
        e = np.exp(s - s.max(axis=-1, keepdims=True))
        return e / (e.sum(axis=-1, keepdims=True) + eps)
    return weigh


def softmax_one(xi, X, beta):
    s = beta * (xi @ X.T)
    m = np.maximum(s.max(axis=-1, keepdims=True), 0)
    e = np.exp(s - m)
    return e / (np.exp(-m) + e.sum(axis=-1, keepdims=True))


def unit(x):
    n = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.divide(x, n, out=np.zeros_like(x), where=n > 0)


def in_single(xi, X, beta):
    s = np.float32(beta) * (xi.astype("f4") @ X.T.astype("f4"))
    return normalised(s).astype("f8")


retrieval("softmax over the batch of states", over_the_states)
retrieval("exponentials without subtracting the maximum", without_maximum)
retrieval("1e-06 is added to the denominator", with_eps(1e-6))
retrieval("1e-12 is added to the denominator", with_eps(1e-12))
retrieval("0.00025 is added to the denominator", with_eps(2.5e-4))
retrieval("1 added to the sum of the exponentials (softmax_1)", softmax_one)
retrieval("cosines in place of scores", lambda xi, X, b: normalised(b * (unit(xi) @ unit(X).T)))
retrieval("1/sqrt(d) of attention on top of beta",
          lambda xi, X, b: normalised(b * (xi @ X.T) / np.sqrt(xi.shape[-1])))
retrieval("beta is multiplied by 1.3", lambda xi, X, b: normalised(1.3 * b * (xi @ X.T)))
retrieval("scores are capped at 20 by tanh",
          lambda xi, X, b: normalised(20 * np.tanh(b * (xi @ X.T) / 20)))
retrieval("float32 arithmetic within float64", in_single)
retrieval("the result is multiplied by 0.9", lambda xi, X, b: normalised(b * (xi @ X.T)),
          end=lambda y, xi, X: 0.9 * y)
retrieval("1e-08 is added to the weights", lambda xi, X, b: normalised(b * (xi @ X.T)) + 1e-8)


def energy_terms(xi, X, beta):
    s = beta * (xi @ X.T)
    m = s.max(axis=-1)
    lse = (m + np.log(np.exp(s - m[..., None]).sum(axis=-1))) / beta
    return lse, (xi * xi).sum(axis=-1) / 2, np.log(len(X)) / beta, (X * X).sum(axis=-1).max() / 2


@known("modern.energy", "energy with the wrong sign")
def energy_of_the_other_sign(xi, X, beta=1.0):
    lse, half, count, longest = energy_terms(xi, X, beta)
    return lse - half - count - longest


@known("modern.energy", "log N with the wrong sign")
def energy_minus_log_n(xi, X, beta=1.0):
    lse, half, count, longest = energy_terms(xi, X, beta)
    return -lse + half - count + longest


@known("modern.energy", "energy without log N")
def energy_without_log_n(xi, X, beta=1.0):
    lse, half, _, longest = energy_terms(xi, X, beta)
    return -lse + half + longest


@known("modern.energy", "energy without M^2/2")
def energy_without_the_longest(xi, X, beta=1.0):
    lse, half, count, _ = energy_terms(xi, X, beta)
    return -lse + half + count


# -- attention ------------------------------------------------------------------------------------

def triangle(q, k, align):
    return np.arange(k) <= np.arange(q)[:, None] + (k - q) * (align == "end")


def plain(s, empty):
    top = s.max(axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis=-1, keepdims=True)
    return np.where(total > 0, e / np.where(total > 0, total, 1), empty)


def hidden(s, seen):
    return np.where(seen, s, -np.inf)


def attention(name, table=NAMED, past=triangle, hide=hidden, weigh=plain, cap=lambda s: s,
              scaled=lambda c, d: c, visible=lambda seen, q, k: seen):
    """A program of attention with one of its parts replaced."""
    def attend(Q, K, V, scale=None, mask=True, bias=0.0, causal=False, align="end",
               empty_row="zeros"):
        d, q, k = Q.shape[-1], Q.shape[-2], K.shape[-2]
        c = scaled(1 / np.sqrt(d) if scale is None else scale, d)
        seen = np.broadcast_to(mask, (q, k)) if np.ndim(mask) < 2 else mask
        seen = seen & past(q, k, align) if causal else seen
        s = cap(c * np.einsum("...qd,...kd->...qk", Q, K)) + bias
        A = weigh(hide(s, visible(seen, q, k)), 0.0 if empty_row == "zeros" else np.nan)
        return A @ V
    table.append(("attention.softmax_attention", name, attend))


def over_queries(s, empty):
    return plain(s.swapaxes(-1, -2), 0.0).swapaxes(-1, -2)


def over_heads(s, empty):
    top = s.max(axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis=-1, keepdims=True)
    total = total.cumsum(axis=-3) if s.ndim > 2 else total
    return np.where(total > 0, e / np.where(total > 0, total, 1), empty)


def relative_to(start):
    """Softmax in blocks, whose running maximum begins at a number."""
    def weigh(s, empty):
        top = np.maximum(s.max(axis=-1, keepdims=True, initial=-np.inf), start)
        e = np.exp(s - top)
        total = e.sum(axis=-1, keepdims=True)
        return np.where(total > 0, e / np.where(total > 0, total, 1), empty)
    return weigh


attention("mask added to the scores as 0 and 1",
          hide=lambda s, seen: s if np.all(seen) else s + 1.0 * seen)
attention("causal mask inverted: only later keys are seen",
          past=lambda q, k, align: ~triangle(q, k, align))
attention("hidden scores set to -1e4",
          hide=lambda s, seen: np.where(seen, s, -1e4))
attention("hidden scores set to 0", hide=lambda s, seen: np.where(seen, s, 0.0))
attention("hidden scores are set to 1e-09", hide=lambda s, seen: np.where(seen, s, 1e-9))
attention("softmax over the queries", weigh=over_queries)
attention("normaliser cumulated over the heads", weigh=over_heads)
attention("running maximum started at 0", weigh=relative_to(0.0))
attention("running maximum started at -5e4", weigh=relative_to(-5e4))
attention("scores are capped at 50 by tanh", cap=lambda s: 50 * np.tanh(s / 50))
attention("1/sqrt(d) on top of the scale", scaled=lambda c, d: c / np.sqrt(d))
attention("diagonal always kept, whatever the mask",
          visible=lambda seen, q, k: seen | np.eye(q, k, dtype=bool))
attention("diagonal always hidden", visible=lambda seen, q, k: seen & ~np.eye(q, k, dtype=bool))
attention("scale is multiplied by 2", scaled=lambda c, d: 2 * c)


# -- kernels, maps, sums --------------------------------------------------------------------------

def kernel_attention(name, eps=0.0, offset=0.0, table=NAMED):
    def attend(phi_q, phi_k, V, mask=True):
        keys = phi_k if mask is True else np.where(mask[..., None], phi_k, 0)
        q, k = phi_q + offset, (keys + offset if mask is True
                                else np.where(mask[..., None], keys + offset, 0))
        A = np.einsum("...qr,...kr->...qk", q, k)
        total = A.sum(axis=-1, keepdims=True) + eps
        return np.where(total == 0, 0.0, A @ V / np.where(total == 0, 1, total))
    table.append(("attention.linear_attention", name, attend))


kernel_attention("0.001 is added to the denominator", eps=1e-3)
kernel_attention("0.003 is added to every feature", offset=3e-3)


@known("performer.attention", "stabiliser of the whole exponent per key")
def every_key_by_its_largest_feature(Q, K, V, omega, scale=None, mask=True):
    c = 1 / np.sqrt(Q.shape[-1]) if scale is None else scale
    logs = [np.sqrt(c) * x @ omega.T - c * (x * x).sum(axis=-1, keepdims=True) / 2 for x in (Q, K)]
    q, k = (np.exp(s - s.max(axis=-1, keepdims=True)) for s in logs)
    seen = np.broadcast_to(mask, K.shape[:-1])[..., None, :]
    A = np.where(seen, np.einsum("...qr,...kr->...qk", q, k), 0)
    total = A.sum(axis=-1, keepdims=True)
    return np.where(total == 0, 0.0, A @ V / np.where(total == 0, 1, total))


@known("features.deterministic.elu", "1 added to e^x - 1, which cancels below 0")
def elu_plus_one(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1) + 1


@known("maps.sparsemax", "threshold from cumulative sums of cumulative sums")
def sparsemax(z, beta=1.0):
    t = beta * (z - z.max(axis=-1, keepdims=True))
    s = -np.sort(-t, axis=-1)
    sums = s.cumsum(axis=-1).cumsum(axis=-1)
    k = np.arange(1, z.shape[-1] + 1)
    size = (1 + k * s > sums).sum(axis=-1, keepdims=True)
    tau = (np.take_along_axis(sums, size - 1, axis=-1) - 1) / size
    return np.maximum(t - tau, 0)


@known("maps.top_k", "k + 1 in place of k")
def one_more(z, k, beta=1.0):
    k = min(k + 1, z.shape[-1])
    order = np.argsort(-z, axis=-1, kind="stable")[..., :k]
    s = np.full_like(z, -np.inf)
    np.put_along_axis(s, order, np.take_along_axis(z, order, -1), -1)
    return normalised(beta * s)


@known("maps.top_k", "of equal scores the last")
def last_of_ties(z, k, beta=1.0):
    order = np.argsort(z, axis=-1, kind="stable")[..., z.shape[-1] - k:]
    s = np.full_like(z, -np.inf)
    np.put_along_axis(s, order, np.take_along_axis(z, order, -1), -1)
    return normalised(beta * s)


@known("layers.layer_norm", "variance divided by d - 1")
def layer_norm(x, gain=1.0, shift=0.0, eps=1e-5):
    away = x - x.mean(axis=-1, keepdims=True)
    v = (away**2).sum(axis=-1, keepdims=True) / max(x.shape[-1] - 1, 1)
    return gain * (away / np.sqrt(v + eps)) + shift


@known("layers.layer_norm", "eps is 1e-12 in place of the given one")
def layer_norm_with_its_own_eps(x, gain=1.0, shift=0.0, eps=1e-5):
    return gain * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(
        x.var(axis=-1, keepdims=True) + 1e-12) + shift


@known("layers.layer_norm", "eps outside the root")
def layer_norm_of_a_deviation(x, gain=1.0, shift=0.0, eps=1e-5):
    return gain * (x - x.mean(axis=-1, keepdims=True)) / (
        x.std(axis=-1, keepdims=True) + eps) + shift


@known("sparse.normalized_update", "1e-06 is added to the length")
def normalised_with_eps(xi, X, beta=1.0, alpha=1.5):
    y = hopref.sparse.update(xi, X, beta=beta, alpha=alpha)
    return y / (np.linalg.norm(y, axis=-1, keepdims=True) + 1e-6)


@known("sparse.layer_norm_update", "1e-05 is added to the variance")
def layer_norm_with_eps(xi, X, beta=1.0, alpha=1.5):
    y = hopref.sparse.update(xi, X, beta=beta, alpha=alpha)
    away = y - y.mean(axis=-1, keepdims=True)
    return away / np.sqrt(away.var(axis=-1, keepdims=True) + 1e-5)


# -- weights and counts ---------------------------------------------------------------------------

@known("classical.field", "W transposed")
def field(xi, W, b=0.0):
    return np.einsum("...i,ij->...j", xi, W) - b


@known("graded.flow", "W transposed")
def flow(u, W, b=0.0, activation="tanh", beta=1.0, tau=1.0):
    x = {"tanh": np.tanh, "identity": lambda v: v,
         "sigmoid": lambda v: (1 + np.tanh(v / 2)) / 2}[activation](beta * u)
    return (x @ W - b - u) / tau


@known("bam.backward", "W transposed")
def answer_of_the_other_side(x, y, W, ties="keep"):
    h = y @ W.T
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, x if ties == "keep" else 1.0))


@known("structured.top_k_energy", "k - 1 in place of k")
def energy_of_one_less(xi, X, k, beta=1.0):
    s = np.sort(beta * (xi @ X.T), axis=-1)[..., len(X) - max(k - 1, 1):]
    top = s[..., -1:]
    lse = (top[..., 0] + np.log(np.exp(s - top).sum(axis=-1) / s.shape[-1])) / beta
    return ((xi * xi).sum(axis=-1) + (X * X).sum(axis=-1).max()) / 2 - lse


@known("gradients.sparse.k_subsets_energy", "k + 1 in place of k")
def slopes_of_one_more(g, xi, X, k, beta=1.0):
    k, lengths = min(k + 1, len(X)), np.sqrt((X * X).sum(axis=-1))
    p = hopref.maps.k_subsets(xi @ X.T, k=k, beta=beta)
    flat = [np.reshape(v, (-1, v.shape[-1])) for v in (p, g[..., None] * xi)]
    longest = np.where(np.arange(len(X))[:, None] == np.argmax(lengths), X, 0)
    gain = ((p * p).sum(axis=-1) - k * k / len(X)) / 2
    return (g[..., None] * (xi - p @ X), k * k * g.sum() * longest - flat[0].T @ flat[1],
            -(g * gain).sum() / beta**2)


@known("supports.largest", "k + 1 in place of k")
def one_score_more(z, k):
    places = np.argsort(-z, axis=-1, kind="stable")[..., :k + 1]
    mask = np.zeros(z.shape, bool)
    np.put_along_axis(mask, places, True, -1)
    return mask


def slopes(g, xi, X, beta):
    p = normalised(beta * (xi @ X.T))
    a = g @ X.T
    w = p * (a - (p * a).sum(axis=-1, keepdims=True))
    flat = [np.reshape(v, (-1, v.shape[-1])) for v in (p, g, w, xi)]
    return w, flat[0].T @ flat[1], flat[2].T @ flat[3], (w * (xi @ X.T)).sum()


@known("gradients.modern.update", "beta missing in the gradient of the state")
def gradient_without_beta(g, xi, X, beta=1.0):
    w, read, scored, dbeta = slopes(g, xi, X, beta)
    return w @ X, read + beta * scored, dbeta


@known("gradients.modern.update", "patterns as values, not as keys")
def gradient_of_values(g, xi, X, beta=1.0):
    w, read, _, dbeta = slopes(g, xi, X, beta)
    return beta * w @ X, read, dbeta


# -- two bugs at once -----------------------------------------------------------------------------

retrieval(("beta applied twice", "state added to the answer"),
          lambda xi, X, b: normalised(b * b * (xi @ X.T)), PAIRS, lambda y, xi, X: y + xi)
retrieval(("1/sqrt(d) of attention on top of beta", "divided by the number of patterns"),
          lambda xi, X, b: normalised(b * (xi @ X.T) / np.sqrt(xi.shape[-1])), PAIRS,
          lambda y, xi, X: y / len(X))
retrieval(("beta ignored", "state scaled to length 1"),
          lambda xi, X, b: normalised(unit(xi) @ X.T), PAIRS)
attention(("causal aligned to the start", "scale applied twice"), PAIRS,
          past=lambda q, k, align: np.tri(q, k, dtype=bool), scaled=lambda c, d: c * c)
attention(("hidden scores set to 0", "scale missing"), PAIRS,
          hide=lambda s, seen: np.where(seen, s, 0.0), scaled=lambda c, d: 1.0)


# -- no known name --------------------------------------------------------------------------------

def odd(name, weigh, end=lambda y, xi, X: y):
    retrieval(name, weigh, UNNAMED, end)


odd("sines", lambda xi, X, b: np.sin(7 * b * (xi @ X.T)))
odd("NaN", lambda xi, X, b: np.nan * normalised(b * (xi @ X.T)))
odd("zeros", lambda xi, X, b: 0 * normalised(b * (xi @ X.T)))
odd("a wave on the result", lambda xi, X, b: normalised(b * (xi @ X.T)),
    lambda y, xi, X: y + 1e-3 * np.cos(9 * y))
odd("small noise of one sign", lambda xi, X, b: normalised(b * (xi @ X.T)),
    lambda y, xi, X: y + 1e-9 * np.abs(np.sin(1e3 * y)))
odd("powers of the weights", lambda xi, X, b: normalised(b * np.tanh(xi @ X.T) ** 3))
