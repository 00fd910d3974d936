"""The conformance kit, which judges any implementation against the formulas.

``check(function, like="modern.update")`` judges a function in the current process; ``hopref check``
does the same in a separate process, with limits on time and memory.

>>> import numpy as np
>>> from hopref.check import check
>>> def retrieve(xi, X, beta=1.0):
...     z = beta * beta * (xi @ X.T)
...     e = np.exp(z - np.max(z, axis=-1, keepdims=True))
...     return e @ X / e.sum(axis=-1, keepdims=True)
>>> report = check(retrieve, like="modern.update")
>>> report.verdict, report.named
('fails', ['beta applied twice'])
"""
import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["check", "assert_conforms", "parametrize_conformance", "NotOffered", "Report", "LAWS",
           "law", "BUGS", "bug", "truth"]

_MODULE_OF = {"NotOffered": "engine.candidate", "Report": "report.findings", "LAWS": "laws",
              "law": "laws", "BUGS": "bugs", "bug": "bugs", "truth": "tolerance.expected",
              "parametrize_conformance": "plugin"}


def check(function: Callable[..., Any], like: str, *, dtype: str = "float64", arithmetic: str = "",
          seed: int = 0, convention: Any = None, only: str = "", input: str = "",
          thorough: bool = False, xfail: dict[str, str] | None = None, **options: Any) -> Any:
    """Judge a function as an implementation of an operation.

    Parameters
    ----------
    function : callable with the arguments of the operation: operands by position, and those options
        that it has by keyword
    like : name of the operation, such as "modern.update"
    dtype : {"float64", "float32", "float16", "bfloat16"}, number format of the arrays that the
        function receives
    arithmetic : name of the arithmetic of the function where it differs from that of the format,
        such as "float16-mixed"
    seed : int, seed of the cases
    convention : `hopref.check.peers.conventions.Convention`, where names, order, axes or masks
        differ from those of the operation, or the name of a published one, such as "torch-sdpa"
    only : name of a single case; "" for all cases
    input : a call of the operation as text, such as the smallest failing input of a report, which
        is then the only case
    thorough : bool, whether every two levels of options, sizes and numbers meet in a case, which
        takes minutes
    xfail : dictionary from the names of expected findings to the reasons
    **options : the convention by the options of ``hopref check``, such as ``array="torch"``,
        ``map={"scale": "softmax_scale"}``, ``order=("K", "Q", "V")``, ``layout={"X": "d n"}``,
        ``lead=2``, ``mask="hidden"``, ``fixed={"training": False}``, ``set={"alpha": 1.5}`` for
        options of the operation that have this value in all cases, and ``adapter``, a function
        from the candidate to a callable with the signature of the operation

    Returns
    -------
    Report, with the ``verdict`` "conforms", "partial" or "fails", the ``findings``, the ``named``
    bugs, and ``gaps``, the reasons for which a verdict is partial

    Raises
    ------
    PluginError : no operation or function is called ``like``
    TypeError : an option does not exist
    """
    from hopref.check.judgement import judged
    given = {"convention": convention} if convention is not None else {}
    given |= {"thorough": True} if thorough else {}
    return judged(function, like, {"dtype": dtype, "arithmetic": arithmetic, "seed": seed,
                                   "only": only, "input": input, "xfail": xfail, **given,
                                   **options})


def assert_conforms(function: Callable[..., Any], like: str, **options: Any) -> None:
    """Assert that a function conforms to an operation.

    Parameters
    ----------
    function : callable with the arguments of the operation
    like : name of the operation, such as "modern.update"
    **options : keyword arguments of `check`

    Raises
    ------
    AssertionError : the verdict is not "conforms"; the message is the report
    """
    from hopref.check.report.text import details
    report = check(function, like, **options)
    if not report.conforms:
        raise AssertionError(details(report))


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hopref.check' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hopref.check.{_MODULE_OF[name]}"), name)
