"""Truth at sixty digits: the formulas of the papers, written out in mpmath."""
import mpmath
from mpmath import mpf

mpmath.mp.dps = 60


def numbers(x):
    return [mpf(float(v)) for v in x]


def dot(a, b):
    return mpmath.fdot(numbers(a), numbers(b))


def integral(x, activation="tanh"):
    """Integral of the inverse activation from 0; 700 digits, for near 0 it is the tiny rest x^2."""
    with mpmath.workdps(700):
        x = mpf(float(x))
        if activation == "identity":
            return x * x / 2
        if activation == "sigmoid":
            return xlog(x) + xlog(1 - x)
        return (xlog(1 + x) + xlog(1 - x)) / 2


def xlog(x):
    return x * mpmath.log(x) if x else mpf(0)


def graded_energy_terms(xi, W, b, activation, beta):
    x, W, b = numbers(xi), [numbers(w) for w in W], numbers(b)
    d = range(len(x))
    return ([-W[i][j] * x[i] * x[j] / 2 for i in d for j in d] + [b[i] * x[i] for i in d]
            + [integral(v, activation) / mpf(beta) for v in xi])


def weights(z, beta):
    """softmax(beta z), for exact scores z."""
    top = max(z)
    e = [mpmath.exp(mpf(beta) * (v - top)) for v in z]
    total = mpmath.fsum(e)
    return [v / total for v in e]


def softmax_rule(xi, X, V, beta):
    p = weights([dot(xi, x) for x in X], beta)
    return [mpmath.fdot(p, numbers(column)) for column in zip(*V, strict=True)]


def modern_energy(xi, X, beta):
    """(-lse, |xi|^2 / 2, log(N) / beta, M^2 / 2), and their sum."""
    beta, z = mpf(beta), [dot(xi, x) for x in X]
    top = max(z)
    lse = top + mpmath.log(mpmath.fsum(mpmath.exp(beta * (v - top)) for v in z)) / beta
    return (-lse + dot(xi, xi) / 2 + mpmath.log(len(X)) / beta + max(dot(x, x) for x in X) / 2)


def performer(xi, X, V, omega, beta):
    """sum_j w_j v_j / sum_j w_j with w_j = sum_r exp of the sum of both log features."""
    root = mpmath.sqrt(mpf(beta))
    k = [[root * dot(w, x) - mpf(beta) * dot(x, x) / 2 for w in omega] for x in X]
    q = [root * dot(w, xi) for w in omega]
    logs = [[a + c for a, c in zip(q, row, strict=True)] for row in k]
    top = max(max(row) for row in logs)
    w = [mpmath.fsum(mpmath.exp(v - top) for v in row) for row in logs]
    total = mpmath.fsum(w)
    return [mpmath.fdot(w, numbers(column)) / total for column in zip(*V, strict=True)]
