"""Honest implementations, written as candidates write them: all must conform.

Each is a function of ``r``, the rounding after every step: that of float64 or float32, or to half
precision for the emulated eager formats.  ``pure`` formats round inside sums too.
"""
import numpy as np

from hopref.check.tolerance.arithmetic import round_to

HONEST = {}     # op -> {name: maker}


def honest(*ops):
    def declare(maker):
        for op in ops:
            HONEST.setdefault(op, {})[maker.__name__] = maker
        return maker
    return declare


class Steps:
    """Arithmetic in a format: ``r`` rounds, ``mul`` multiplies matrices."""
    def __init__(self, dtype, pure=False):
        self.dtype, self.pure = dtype, pure

    def __call__(self, x):
        if self.dtype in ("float64", "float32"):
            return np.asarray(x, self.dtype)
        return round_to(np.asarray(x, np.float32), self.dtype).astype(np.float32)

    def given(self, x):
        return np.asarray(x, "float64" if self.dtype == "float64" else "float32")

    def mul(self, a, b):
        if not self.pure:
            return self(np.matmul(a, b))
        total = self(np.zeros(np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
                              + (a.shape[-2], b.shape[-1])))
        for k in range(a.shape[-1]):
            total = self(total + self(a[..., :, k, None] * b[..., None, k, :]))
        return total

    def add(self, x):
        """The sum along the last axis."""
        if not self.pure:
            return self(np.sum(x, axis=-1, keepdims=True))
        total = self(np.zeros((*x.shape[:-1], 1)))
        for k in range(x.shape[-1]):
            total = self(total + x[..., k, None])
        return total


def stored(dtype, y):
    """The result in the candidate's own format."""
    return round_to(y, dtype) if dtype != "bfloat16" else np.asarray(y, np.float32)


def T(x):
    return np.swapaxes(x, -1, -2)


def weights_of(r, s):
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    e = r(np.exp(r(s - np.where(np.isfinite(top), top, 0))))
    total = r.add(e)
    return r(e / np.where(total > 0, total, 1))


def on_rows(r, xi):
    return r.given(xi)[..., None, :]


@honest("modern.update")
def scaled_scores(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        return r.mul(weights_of(r, s), X)[..., 0, :]
    return update


@honest("modern.update")
def scaled_states(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        return r.mul(weights_of(r, r.mul(r(on_rows(r, xi) * r(beta)), X.T)), X)[..., 0, :]
    return update


@honest("modern.update")
def divided_last(r):
    def update(xi, X, beta=1.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        e = r(np.exp(r(s - np.max(s, axis=-1, keepdims=True))))
        return r(r.mul(e, X) / r.add(e))[..., 0, :]
    return update


@honest("modern.update")
def blocked_online(r):
    """Flash-like: running maximum, sum and product over blocks of three, kept in float32."""
    def update(xi, X, beta=1.0):
        wide = np.float64 if r.dtype == "float64" else np.float32
        xi, X = r.given(xi)[..., None, :], r.given(X)
        top, total, drawn = -np.inf, 0.0, 0.0
        for at in range(0, len(X), 3):
            block = X[at:at + 3]
            s = (wide(beta) * np.matmul(xi, block.T)).astype(wide)
            new = np.maximum(top, np.max(s, axis=-1, keepdims=True))
            shrink, e = np.exp(top - new), r(np.exp(s - new))
            total = total * shrink + np.sum(e, axis=-1, keepdims=True)
            drawn, top = drawn * shrink + np.matmul(e, block), new
        return r(drawn / total)[..., 0, :]
    return update


@honest("modern.weights")
def plain_weights(r):
    def weights(xi, X, beta=1.0):
        return weights_of(r, r(r.mul(on_rows(r, xi), r.given(X).T) * r(beta)))[..., 0, :]
    return weights


@honest("modern.energy")
def as_printed(r):
    def energy(xi, X, beta=1.0):
        xi, X, b = on_rows(r, xi), r.given(X), r(beta)
        s = r(r.mul(xi, X.T) * b)
        top = np.max(s, axis=-1, keepdims=True)
        lse = r(r(r(np.log(r.add(r(np.exp(r(s - top)))))) + top) / b)
        longest = np.max(r.add(r(X * X)))
        rest = r(r(r(r.add(r(xi * xi)) / 2) + r(r(np.log(r(len(X)))) / b)) + r(longest / 2))
        return r(rest - lse)[..., 0, 0]
    return energy


@honest("attention.softmax_attention")
def textbook_attention(r):
    def attention(Q, K, V, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
        Q, K, V = map(r.given, (Q, K, V))
        s = r(r.mul(Q, T(K)) * r(K.shape[-1] ** -0.5 if scale is None else scale))
        s = r(s + r.given(bias)) if np.ndim(bias) else s
        if causal:
            shift = K.shape[-2] - Q.shape[-2] if align == "end" else 0
            mask = mask & np.tril(np.ones(s.shape[-2:], bool), shift)
        return r.mul(weights_of(r, np.where(mask, s, -np.inf)), V)
    return attention


@honest("attention.linear_attention")
def keys_first(r):
    def attention(phi_q, phi_k, V, *, mask=True, eps=0.0):
        q, k, V = map(r.given, (phi_q, phi_k, V))
        k = k if mask is True else np.where(mask[..., None], k, 0)
        total = r.mul(q, r.add(T(k)))
        total = r(total + r(eps))
        return r(r.mul(q, r.mul(T(k), V)) / np.where(total == 0, 1, total))
    return attention


@honest("attention.linear_attention")
def queries_first(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        A = r.mul(r.given(phi_q), T(r.given(phi_k)))
        return r(r.mul(A, r.given(V)) / r(r.add(A) + r(eps)))
    return attention


@honest("attention.causal_linear_attention")
def masked_kernel(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        A = r(np.tril(r.mul(r.given(phi_q), T(r.given(phi_k)))))
        return r(r.mul(A, r.given(V)) / r(r.add(A) + r(eps)))
    return attention


@honest("features.positive")
def exponent_whole(r):
    def positive(x, omega, beta=1.0):
        x, omega = r.given(x)[..., None, :], r.given(omega)
        x = r(x * r(np.sqrt(r(beta))))
        half = r(r.add(r(x * x)) / 2)
        return r(r(np.exp(r(r.mul(x, omega.T) - half))) / r(np.sqrt(r(len(omega)))))[..., 0, :]
    return positive


@honest("features.trigonometric")
def sines_and_cosines(r):
    def trigonometric(x, omega, beta=1.0):
        x, omega = r.given(x)[..., None, :], r.given(omega)
        x = r(x * r(np.sqrt(r(beta))))
        u, h = r.mul(x, omega.T), r(np.exp(r(r.add(r(x * x)) / 2)))
        h = r(h / r(np.sqrt(r(len(omega)))))
        return np.concatenate([r(h * r(np.sin(u))), r(h * r(np.cos(u)))], axis=-1)[..., 0, :]
    return trigonometric


@honest("performer.attention")
def favor_without_eps(r):
    def attention(Q, K, V, omega, *, scale=None, features="positive"):
        if features != "positive":
            from hopref.check.engine.candidate import NotOffered
            raise NotOffered(features)
        Q, K, V, omega = map(r.given, (Q, K, V, omega))
        root = r(np.sqrt(r(K.shape[-1] ** -0.5 if scale is None else scale)))

        def phi(x, axes):
            x = r(x * root)
            u = r(r.mul(x, omega.T) - r(r.add(r(x * x)) / 2))
            return r(np.exp(r(u - np.max(u, axis=axes, keepdims=True, initial=-1e30))))
        q, k = phi(Q, (-1,)), phi(K, (-1, -2))
        total = r.mul(q, r.add(T(k)))
        return r(r.mul(q, r.mul(T(k), V)) / total)
    return attention


@honest("classical.update")
def two_wheres(r):
    def update(xi, W, b=0.0, ties="keep", states="polar"):
        h = r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b))
        low, tie = (-1.0 if states == "polar" else 0.0), (xi if ties == "keep" else 1.0)
        return r(np.where(h > 0, 1.0, np.where(h < 0, low, tie)))
    return update


@honest("classical.asynchronous_update")
def a_loop_over_sites(r):
    def asynchronous_update(xi, W, b=0.0, *, order, ties="keep", states="polar"):
        xi, W, b = np.array(r.given(xi)), r.given(W), r.given(b) * np.ones(len(W), r(0).dtype)
        for i in order:
            h = r(r.mul(xi[..., None, :], W[i][:, None])[..., 0, 0] - b[i])
            tie = xi[..., i] if ties == "keep" else 1.0
            low = -1.0 if states == "polar" else 0.0
            xi[..., i] = np.where(h > 0, 1.0, np.where(h < 0, low, tie))
        return xi
    return asynchronous_update


@honest("classical.energy")
def one_einsum(r):
    def energy(xi, W, b=0.0):
        xi, W = r.given(xi), r.given(W)
        Wx = r.mul(xi[..., None, :], W)[..., 0, :]
        bx = r.add(r(r.given(b) * xi)) if np.ndim(b) else r.add(r(b * xi))
        return r(bx - r(r.add(r(Wx * xi)) / 2))[..., 0]
    return energy


@honest("graded.update")
def numpy_tanh(r):
    def update(xi, W, b=0.0, *, beta=1.0, activation="tanh"):
        u = r(r(r.mul(on_rows(r, xi), r.given(W).T)[..., 0, :] - r.given(b)) * r(beta))
        f = {"tanh": np.tanh, "sigmoid": lambda x: r(1 / r(1 + r(np.exp(-x)))),
             "identity": lambda x: x}[activation]
        return r(f(u))
    return update


@honest("graded.energy")
def logarithms_of_one_plus_x(r):
    def energy(xi, W, b=0.0, *, beta=1.0):
        xi, W = r.given(xi), r.given(W)

        def xlog(x):
            return r(x * r(np.log(np.where(x > 0, x, 1))))
        G = r(r(xlog(r(1 + xi)) + xlog(r(1 - xi))) / 2)
        Wx = r.mul(xi[..., None, :], W)[..., 0, :]
        bx = r.add(r(r.given(b) * xi)) if np.ndim(b) else r.add(r(b * xi))
        return r(r(bx - r(r.add(r(Wx * xi)) / 2)) + r(r.add(G) / r(beta)))[..., 0]
    return energy


@honest("storage.hebbian")
def outer_products(r):
    def hebbian(X, scale=1.0, zero_diagonal=False):
        X = r.given(X)
        W = r(r.mul(X.T, X) * r(scale))
        return r(np.where(np.eye(len(W), dtype=bool), 0, W)) if zero_diagonal else W
    return hebbian


def candidates(op, dtype, pure=False):
    """{name: callable} of the honest implementations of an op in a format."""
    r = Steps(dtype, pure)

    def finished(function):
        def call(*args, **kwargs):
            with np.errstate(all="ignore"):
                y = function(*args, **kwargs)
                return tuple(stored(dtype, part) for part in y) if isinstance(y, tuple) \
                    else stored(dtype, y)
        call.__signature__ = __import__("inspect").signature(function)
        return call
    return {name: finished(maker(r)) for name, maker in HONEST.get(op, {}).items()}
