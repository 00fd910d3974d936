"""Functions of other libraries that are judged as operations of hopref, with one file a library.

A file declares its functions in ``PEERS``.  Most declarations name the function itself and a
convention; where that does not suffice, an adapter of a few lines is beside it.  A library is
imported by the process that judges it, and by nothing else.  To add a library, add its file, and
its name to ``LIBRARIES``.
"""
from importlib import import_module

__all__ = ["LIBRARIES", "PEERS", "UNCOVERED"]

LIBRARIES = ("torch", "jax", "flax", "keras", "equinox", "onnx", "transformers", "hflayers",
             "performer_pytorch", "entmax", "sparsemax", "fla", "torchhd", "optax", "jaxopt",
             "scipy", "sklearn", "array_api_extra")
FILES = tuple(import_module(f"{__name__}.{library}") for library in LIBRARIES)
PEERS = tuple(peer for file in FILES for peer in getattr(file, "PEERS", ()))
UNCOVERED = tuple(entry for file in FILES for entry in getattr(file, "UNCOVERED", ()))
