"""Factors from their logarithms: everything is measured from a largest entry."""
import math

from hopref.dispatch.namespace import namespace

inf = math.inf


def balanced(log_q, log_k, sign_q, sign_k):
    """Features from logs: every feature's largest key is 1, and so is a query's largest weight."""
    xp = namespace(log_k)
    c = xp.max(log_k, axis=-2, keepdims=True)
    return sign_q * shifted_exp(log_q + c, -1), sign_k * shifted_exp(log_k, -2)


def rescaled(log_q, log_k, c):
    """One step of `balanced` with a running scale: query, key, how the past shrinks, new scale."""
    xp = namespace(log_k)
    new = xp.maximum(c, log_k)
    zero = finite_or_zero(new)
    return shifted_exp(log_q + new, -1), xp.exp(log_k - zero), xp.exp(c - zero), new


def shifted_exp(a, axis):
    """exp(a - max a); 0 where all of a is -inf."""
    xp = namespace(a)
    return xp.exp(a - finite_or_zero(xp.max(a, axis=axis, keepdims=True)))


def finite_or_zero(c):
    """A log scale to subtract: 0 where it is -inf, the scale of nothing."""
    return namespace(c).where(c == -inf, 0.0, c)
