"""The conformance kit, which judges any implementation against the formulas.

``check(function, like="modern.update")`` judges a function in the current process; ``hopref check``
does the same in a separate process, with limits on time and memory.

>>> import numpy as np
>>> from hopref.check import check
>>> def retrieve(xi, X, beta=1.0):
...     e = np.exp(beta * beta * (xi @ X.T))
...     return e @ X / e.sum(axis=-1, keepdims=True)
>>> report = check(retrieve, like="modern.update")
>>> report.verdict, report.named
('fails', ['beta applied twice'])
"""
import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["check", "assert_conforms", "NotOffered", "Report", "LAWS", "law", "BUGS", "bug",
           "truth"]

_MODULE_OF = {"NotOffered": "engine.candidate", "Report": "report.findings", "LAWS": "laws",
         "law": "laws", "BUGS": "bugs", "bug": "bugs", "truth": "tolerance.expected"}


def check(function: Callable[..., Any], like: str, *, dtype: str = "float64", arithmetic: str = "",
          seed: int = 0, convention: Any = None, set: dict[str, Any] | None = None,
          only: str = "", xfail: dict[str, str] | None = None) -> Any:
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
    set : dictionary of options of the operation, for which all cases have these values, such as
        {"alpha": 1.5}; the function need not have these options
    only : name of a single case; "" for all cases
    xfail : dictionary from the names of expected findings to the reasons

    Returns
    -------
    Report, with the ``verdict`` "conforms" or "fails", the ``findings`` and the ``named`` bugs
    """
    from hopref.check.engine.candidate import InProcess
    from hopref.check.engine.judge import judge
    from hopref.check.peers.adapters import bound
    from hopref.check.peers.conventions import convention_in_process
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', function)}"
    convention = convention_in_process(like, convention, set, dtype)
    called = name.rpartition(":")[2].replace("{", "{{").replace("}", "}}")
    again = f"check({called}, {like!r}, only={{case!r}}, seed={{seed}})"
    candidate = InProcess(bound(function, like, convention), name)
    return judge(candidate, like, dtype=dtype, arithmetic=arithmetic, seed=seed, only=only,
                 again=again, xfail=xfail, convention=convention)


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


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hopref.check' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hopref.check.{_MODULE_OF[name]}"), name)
