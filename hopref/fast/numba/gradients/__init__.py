"""Compiled vector-Jacobian products, with one file for each module of `hopref.gradients`."""
import numpy as np

__all__ = ["by_formula", "finite"]


def by_formula(formula, *arrays, **options):
    """Results of a formula in double precision, with the precision of the last array."""
    found = formula(*(np.asarray(a, np.float64) for a in arrays), **options)
    return tuple(np.asarray(a, arrays[-1].dtype) for a in found)


def finite(arrays):
    """Whether the entries are finite and, roughly, their squares."""
    return all(np.isfinite(np.vdot(a, a)) for a in arrays)
