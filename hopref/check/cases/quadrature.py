"""Expectations over Gaussian rows without sampling: rows (N, d) and their probabilities (N,).

The trapezoidal rule for a Gaussian integrand errs by its Fourier transform at 2 pi/step and by what
lies beyond the reach: both below e^-70 for what is integrated here, so that only rounding is left.
Along a radius Gauss and Legendre's rule does as well.
"""
import numpy as np

REACH, STEP = 12.0, 0.25


def gaussian_rows(d):
    """Rows N(0, I_d) on a grid, d = 1 or 2."""
    x = np.arange(-REACH, REACH + STEP / 2, STEP)
    p = STEP * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    if d == 1:
        return x[:, None], p
    return np.stack([np.repeat(x, len(x)), np.tile(x, len(x))], axis=1), np.outer(p, p).ravel()


def pairs(angle, lengths="chi", radii=60, turns=48):
    """Pairs (N, 2, 2) of rows in the plane at this angle, and their probabilities."""
    nodes, weights = np.polynomial.legendre.leggauss(radii)
    r = (nodes + 1) * REACH / 2
    p = weights * REACH / 2 * r * np.exp(-r * r / 2)
    if lengths == "fixed":
        r, p = np.full(1, np.sqrt(2.0)), np.ones(1)
    theta = 2 * np.pi * np.arange(turns) / turns
    one, two, turn = np.meshgrid(r, r, theta, indexing="ij")
    rows = [size[..., None] * np.stack([np.cos(at), np.sin(at)], axis=-1)
            for size, at in ((one, turn), (two, turn + angle))]
    p = np.repeat(np.outer(p, p).ravel(), turns) / turns
    return np.stack(rows, axis=-2).reshape(-1, 2, 2), p
