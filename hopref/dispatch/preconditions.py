"""Preconditions of several arguments that belong to no model.

A ``shape_rule(given)`` relates shapes, a ``precondition(xp, given)`` values.  They are called with
validated arguments, options by name, and return the sentence that fails, or None.  Those that know
a model, a map or a layer are defined beside it.
"""
__all__ = ["k_of_n"]


def k_of_n(given):
    """k must be at most the number of entries: scores in a row, or patterns."""
    n = given["z"].shape[-1] if "z" in given else given["X"].shape[0]
    return None if given["k"] <= n else \
        f"k must be at most {n}, the number of entries; got k={given['k']}"
