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
from collections.abc import Callable, Sequence
from typing import Any

from hopref.errors import CallError, naming

__all__ = ["check", "assert_conforms", "parametrize_conformance", "scaling", "NotOffered", "Report",
           "LAWS", "law", "BUGS", "bug", "truth"]

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


def scaling(function: Callable[..., Any], *, like: str = "", over: str = "L",
            inputs: Callable[[int], Any] | None = None, sizes: Sequence[int] | None = None,
            dtype: str = "float64", seed: int = 0, seconds: float = 20.0, memory: float = 2**30,
            **options: Any) -> Any:
    """Measure how memory, counted work and time of a function grow with a size.

    Parameters
    ----------
    function : callable
    like : name of an operation, such as "attention.softmax_attention", as whose arguments those of
        the function are drawn
    over : the size that grows: axes of the operation, such as "n" or "l,s", or "L", the length of
        a sequence; with ``inputs`` its name
    inputs : function of the size that returns the arguments, in place of ``like``: a tuple, a
        dictionary of keyword arguments, or one array
    sizes : at least three ascending integers, the largest at least four times the smallest; None
        to double them until a call takes long
    dtype : number format of the arrays that are drawn
    seed : int, seed of the drawn arguments
    seconds : time that the measurement may take, about
    memory : bytes that a call may take where the sizes are chosen
    **options : the convention of the function by the options of ``hopref scaling``, as of `check`

    Returns
    -------
    Scaling, with the ``verdict`` "constant", "below linear", "linear", "between", "quadratic",
    "above quadratic" or "undecided", the ``measures`` "memory", "resident", "work" and "time", each
    with its ``exponent``, an interval and a verdict of its own, and ``reasons``

    Raises
    ------
    CallError : neither or both of ``like`` and ``inputs`` are given, or one is not callable
    DomainError : the operation has no such axis, or the sizes are too few or too close
    PluginError : no operation is called ``like``, or the function lacks one of its arguments
    ResourceError : the arguments do not fit in memory, or a call takes too long
    Exception : an exception of the function is raised as it is, with a note of the size

    Notes
    -----
    The traced peak of "memory" is that of NumPy and Python, "resident" that of the process, which
    is known on Linux and includes every library.  "work" counts operations of NumPy on the
    arguments and on what is computed from them; while it is counted, functions such as
    ``numpy.zeros`` are replaced.  A function of another library, or compiled code, is not
    intercepted, and its work is judged by the time.  The time tells an exponent of 1 from 2, and no
    less; ``hopref scaling`` measures it in a process with one thread for linear algebra.

    >>> import numpy as np
    >>> from hopref.check import scaling
    >>> def centred(X):
    ...     return X - X.mean(axis=0)
    >>> result = scaling(centred, inputs=lambda n: np.ones((n, 8)), sizes=[256, 512, 2048])
    >>> result.measures["work"].verdict, round(result.measures["work"].exponent.value, 2)
    ('linear', 1.0)
    """
    from hopref.check.growth.inputs import like_operation, made
    from hopref.check.growth.scaling import measured
    from hopref.check.judgement import convention_of
    with naming("hopref.check.scaling"):
        if bool(like) == (inputs is not None):
            raise CallError("give either like= or inputs=; got " + ("both" if like else "neither"))
        if inputs is not None:
            problem = made(function, inputs, over)
        else:
            adapter = options.pop("adapter", None)
            convention = convention_of(like, {"dtype": dtype, **options})
            problem = like_operation(adapter(function) if adapter else function, like, over,
                                     convention, dtype=dtype, seed=seed)
        name = getattr(function, "__qualname__", type(function).__name__)
        return measured(problem, name, sizes=sizes, budget=seconds, memory=memory)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hopref.check' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hopref.check.{_MODULE_OF[name]}"), name)
