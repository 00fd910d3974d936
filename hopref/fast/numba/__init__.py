"""Compiled paths, chosen by ``backend="numba"``: a file a model, the functions named as there.

They are given C-contiguous, writeable arrays of one dtype, float32 or float64, and options already
resolved.  They run on the caller's thread and start none.
"""
__all__ = ["PATHS"]

# The operations that have this path, by module: known without importing numba.
PATHS = {
    "attention": ("causal_linear_attention",),
    "classical": ("low_rank_asynchronous_update",),
    "modern": ("energy", "update"),
}
