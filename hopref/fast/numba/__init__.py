"""Compiled paths, chosen by ``backend="numba"``: a file a model, the functions named as there.

The door hands them C-contiguous, writeable arrays of one dtype, float32 or float64, and options
already resolved.  They run on the caller's thread and start none.
"""
