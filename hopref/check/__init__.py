"""The conformance kit: judge any implementation against the formulas.

``check(function, like="modern.update")`` judges a function of this process; ``hopref check`` does
the same in a process of its own, with limits on time and memory.

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

__all__ = ["check", "assert_conforms", "NotOffered", "Report", "LAWS", "law", "BUGS", "bug",
           "truth"]

_HOME = {"NotOffered": "engine.candidate", "Report": "report.findings", "LAWS": "laws",
         "law": "laws", "BUGS": "bugs", "bug": "bugs", "truth": "tolerance.expected"}


def check(function, like, *, dtype="float64", arithmetic="", seed=0, convention=None, only="",
          xfail=None):
    """Judge ``function`` as an implementation of the op ``like``.

    Parameters
    ----------
    function : called like the op, operands by position, options by keyword where it takes them
    like : the name of an op, such as "modern.update"
    dtype : the number format it is given: float64, float32, float16 or bfloat16
    arithmetic : its arithmetic, where that is not its format's, such as "float16-mixed"
    convention : a `hopref.check.peers.adapters.Convention`, where names, order, axes, masks differ
    only : the name of a single case
    xfail : {name of a finding: reason why it is expected}

    Returns
    -------
    Report, with ``verdict`` "conforms" or "fails", ``findings`` and ``named`` bugs
    """
    from hopref.check.engine.candidate import InProcess
    from hopref.check.engine.judge import judge
    from hopref.check.peers.adapters import Convention, bound
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', function)}"
    convention = convention or Convention(dtype=foreign(dtype))
    again = f"check({name.rpartition(':')[2]}, {like!r}, only={{case!r}}, seed={{seed}})"
    candidate = InProcess(bound(function, like, convention), name)
    return judge(candidate, like, dtype=dtype, arithmetic=arithmetic, seed=seed, only=only,
                 again=again, xfail=xfail)


def foreign(dtype):
    """The format that NumPy needs help with."""
    return dtype if dtype == "bfloat16" else ""


def assert_conforms(function, like, **options):
    """`check`, as an assertion whose message is the report."""
    from hopref.check.report.text import details
    report = check(function, like, **options)
    if not report.conforms:
        raise AssertionError(details(report))


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'hopref.check' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hopref.check.{_HOME[name]}"), name)
