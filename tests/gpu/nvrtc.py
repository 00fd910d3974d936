"""CUDA C++ compiled to PTX by NVRTC without a driver, of the wheels of CUDA 12 and 13.

The kernels are run in the PTX of CUDA 12 where a test does not name another one.
"""
import ctypes
import functools
import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest

__all__ = ["CUDA", "CompilationError", "library", "to_ptx", "resources", "required", "version"]

MISSING = "NVRTC {} must be installed (python -m pip install \"hopref[gpu-proof]\")"
CUDA = {12: ("nvidia-cuda-nvrtc-cu12", "cuda_nvrtc"), 13: ("nvidia-cuda-nvrtc", "cu13")}


class CompilationError(Exception):
    """The source does not compile; the message is the log of the compiler."""


@functools.cache
def library(cuda=12):
    """The shared library of the wheel; ImportError where it is not installed."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(p) / CUDA[cuda][1] / "lib" for p in spec.submodule_search_locations or ()] \
        if spec else []
    for folder in folders:
        for builtins in sorted(folder.glob("libnvrtc-builtins.so.*")):
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)   # NVRTC finds it by its name
        for found in sorted(folder.glob("libnvrtc.so.*")):
            return ctypes.CDLL(str(found))
    raise ImportError(MISSING.format(cuda))


def version(cuda):
    """The version of the wheel."""
    return importlib.metadata.version(CUDA[cuda][0])


def required(cuda=12):
    """Marks that skip tests, and are counted in the summary, where NVRTC is not installed."""
    try:
        library(cuda)
    except ImportError as missing:
        return [pytest.mark.skip(reason=str(missing))]
    return []


@functools.lru_cache(maxsize=256)
def to_ptx(source, options=(), architecture="compute_80", name="kernel.cu", cuda=12):
    """The PTX of a source, with the lines of the source beside the instructions."""
    return _compiled(source, ("-lineinfo", *options), architecture, name, "PTX", cuda)


def resources(source, options, architecture, cuda=12):
    """{kernel: {"registers", "spilled", "shared"}} of the machine code, in numbers and bytes."""
    log = _compiled(source, (*options, "--ptxas-options=-v"), architecture, "kernel.cu",
                    "ProgramLog", cuda)
    found = {}
    for part in log.split("Compiling entry function '")[1:]:
        numbers = {what: sum(map(int, re.findall(rf"(\d+) {words}", part)))
                   for what, words in (("registers", "registers"), ("spilled", "bytes spill"),
                                       ("shared", "bytes smem"), ("stack", "bytes stack frame"))}
        found[part.partition("'")[0]] = numbers
    return found


def _compiled(source, options, architecture, name, what, cuda):
    program, nvrtc = ctypes.c_void_p(), library(cuda)
    given = [f"--gpu-architecture={architecture}", *options]
    strings = (ctypes.c_char_p * len(given))(*(option.encode() for option in given))
    _require(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(),
                                      0, None, None), "no program can be made")
    try:
        failed = nvrtc.nvrtcCompileProgram(program, len(given), strings)
        _require(failed, _text(nvrtc, program, "ProgramLog") if failed else "")
        return _text(nvrtc, program, what)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _require(failed, message):
    if failed:
        raise CompilationError(f"NVRTC error {failed}: {message}")


def _text(nvrtc, program, what):
    """A result of the compiler, whose size is another."""
    size = ctypes.c_size_t()
    _require(getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)), what)
    text = ctypes.create_string_buffer(size.value)
    _require(getattr(nvrtc, f"nvrtcGet{what}")(program, text), what)
    return text.value.decode()
