"""Supports, by integers and exact comparisons.

References: Beltagy et al. 2020; Zaheer et al. 2020; Hu et al. 2025.
"""
import numpy as np

from hopref.certify.maps import among_largest

__all__ = ["window", "causal", "global_tokens", "largest"]


def by_positions(l, n, align, rule):
    """rule(i, j) for the positions of all states and patterns."""
    offset = n - l if align == "end" else 0
    return np.array([[rule(i + offset, j) for j in range(n)] for i in range(l)], bool).reshape(l, n)


def window(l, n, *, width, dilation=1, causal=False, align):
    steps = {dilation * o for o in range(-width, 1 if causal else width + 1)} \
        if width * dilation <= 4 * (l + n) else None

    def near(i, j):
        if steps is None:
            return (j - i) % dilation == 0 and abs(j - i) <= width * dilation \
                and not (causal and j > i)
        return j - i in steps
    return by_positions(l, n, align, near)


def causal(l, n, *, align):
    return by_positions(l, n, align, lambda i, j: j <= i)


def global_tokens(l, n, *, tokens, align):
    return by_positions(l, n, align, lambda i, j: i < tokens or j < tokens)


def largest(z, *, k):
    return among_largest(z, k)
