"""Arrays of torch, jax and CuPy: conversion, comparison after a call, and global states.

Nothing is imported here that the candidate has not imported, other than by the conversion.
"""
import sys

import numpy as np

from hopref.check.engine.candidate import Misuse, NotOffered, as_numpy, of_cupy

__all__ = ["converted", "global_state", "restored", "snapshot", "touched", "uses"]


def converted(v, array, dtype):
    """A NumPy array as an array of the library ``array``; real ones in the format ``dtype``."""
    real = v.dtype.kind == "f"
    try:
        if array == "torch":
            import torch
            v = torch.from_numpy(np.array(v))
            return v.to(getattr(torch, dtype)) if real and dtype else v
        if array == "jax":
            import jax
            jax.config.update("jax_enable_x64", True)
            v = jax.numpy.asarray(v)
            return v.astype(dtype) if real and dtype else v
        if array == "cupy":
            import cupy
            if dtype == "bfloat16":
                raise Misuse("CuPy has no bfloat16; --dtype must be another format")
            return cupy.asarray(v.astype(dtype) if real and dtype else v)
        if real and dtype == "bfloat16":
            import ml_dtypes
            v = v.astype(ml_dtypes.bfloat16)
    except ModuleNotFoundError as error:
        raise Misuse(f"{error.name} must be installed for arrays of this kind: "
                     f"python -m pip install {error.name}") from None
    if array == "list" and not v.size:
        raise NotOffered("an empty list, which has no shape")
    return v.tolist() if array == "list" else v


def snapshot(arrays):
    """The contents of the arrays that are passed, by the name of the argument."""
    return {k: as_numpy(v).tobytes() for k, v in arrays.items() if is_tensor(v)}


def touched(arrays, before, results):
    """The side effects of a call on tensors of torch or arrays of CuPy: changed in place, or
    returned as a view."""
    found = [("writes into its input", f"{k} was changed in place") for k, bytes_ in before.items()
             if as_numpy(arrays[k]).tobytes() != bytes_]
    for k, v in arrays.items():
        if is_tensor(v) and any(is_tensor(y) and memory(y) == memory(v) for y in results):
            found.append(("returns a view of its input", f"the result shares memory with {k}"))
    return found


def is_tensor(v):
    """Whether an object is an array that can be changed, as those of torch and CuPy."""
    return hasattr(v, "detach") and hasattr(v, "numpy") or of_cupy(v)


def memory(tensor):
    """The address of the memory of a tensor; that of an empty one is its own."""
    if of_cupy(tensor):
        return tensor.data.mem.ptr or id(tensor)
    storage = getattr(tensor, "untyped_storage", None)
    address = storage().data_ptr() if storage else tensor.data_ptr()
    return address or id(tensor)


def torch_state(torch):
    return {"torch.set_default_dtype": torch.get_default_dtype(),
            "torch.set_grad_enabled": torch.is_grad_enabled(),
            "torch.set_default_device": str(torch.get_default_device()),
            "torch.manual_seed": torch.initial_seed(),
            "draws from a global generator": torch.get_rng_state().numpy().tobytes()}


def global_state():
    """The global settings of the loaded libraries by the name of what changes them."""
    state = {}
    if torch := loaded("torch", "get_rng_state"):
        state |= torch_state(torch)
    if jax := loaded("jax", "config"):
        state |= {f"jax.config.{k}": v for k, v in jax.config.values.items()}
    return state


def loaded(name, attribute):
    """A module that is imported completely, or None."""
    module = sys.modules.get(name)
    return module if hasattr(module, attribute) else None


def restored(before):
    """The side effects on global settings since ``before``, which are put back.

    The state of the generator is not, so that a candidate that draws from it differs from itself.
    """
    after = global_state()
    changed = {k: (v, after[k]) for k, v in before.items() if k in after and after[k] != v}
    for k, (old, _) in changed.items():
        put_back(k, old)
    if "torch.manual_seed" in changed:          # it also changes the state of the generator
        changed.pop("draws from a global generator", None)
    return [(k, "the state of torch's global generator changed") if k.startswith("draws") else
            (f"changes {k}" if k.startswith("jax") else f"calls {k}", f"{old} became {new}")
            for k, (old, new) in changed.items()]


def put_back(name, value):
    """Restore one global setting."""
    if name.startswith("jax.config."):
        sys.modules["jax"].config.update(name.removeprefix("jax.config."), value)
        return
    if name.startswith("torch."):
        getattr(sys.modules["torch"], name.removeprefix("torch."))(value)


def uses(candidate, library):
    """Whether the code of a candidate is of a library, or mentions it."""
    function = getattr(candidate, "forward", candidate)
    function = getattr(function, "func", function)
    function = getattr(function, "__wrapped__", function)
    module = getattr(function, "__module__", None) or type(candidate).__module__ or ""
    names = getattr(function, "__globals__", {}).values()
    return module.partition(".")[0].lstrip("_") == library or any(
        (getattr(v, "__name__", None) or "").partition(".")[0] == library
        for v in names if type(v) is type(sys))
