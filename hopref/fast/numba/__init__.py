"""Compiled paths, chosen by ``backend="numba"``: one file a model, the function named as the formula."""
