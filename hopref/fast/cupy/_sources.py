"""The texts of the kernels, in C++ for CUDA."""
from importlib import resources

__all__ = ["source_of"]


def source_of(*names):
    """The text of ``kernels/index.cu``, which precedes all others, and of files by their names."""
    folder = resources.files("hopref.fast.cupy").joinpath("kernels")
    return "".join(folder.joinpath(f"{name}.cu").read_text("utf-8") for name in ("index", *names))
