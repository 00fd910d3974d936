"""Declare an operation once, validate its arguments, choose its path, register it.

    @op("(...,d),(n,d)->(...,d)", beta=positive, lowers=energy, scratch="(...,n)")
    def update(xi, X, /, *, beta=1.0):
        return softmax(xi @ X.T, beta=beta) @ X

Operations called inside a formula run their own formulas, unchecked, on whatever namespace the
arrays belong to.

Results.  If float64 can represent the result for finite arguments, it is returned with the accuracy
that the formula documents.  A number beyond the range of float64 is returned as an infinity, or
raises an error where the declaration excludes infinities (``result=finite``; ``result=scores()``
allows -inf).  NaN is not returned for valid arguments unless an option requests it
(``empty_row="nan"``): where a formula would return NaN, the operation raises `RangeError`.  Results
are not inspected with ``nonfinite="propagate"``, nor on a device, where that would synchronise.

What a mask, a causal mask, a support or a bias of -inf hides from a query has no effect on its
result, even if it is NaN or infinite.  What it hides from every query has no effect on a gradient
with ``nonfinite="propagate"``, in which its cotangents are 0; a hidden token that is a query itself
has one.
"""
import contextlib
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, cast, overload

import numpy as np

from hopref.dispatch import validation
from hopref.dispatch.declaration import Declaration, bind
from hopref.dispatch.documentation import completed, with_gradient
from hopref.dispatch.domains import Array, Domain, number
from hopref.dispatch.hidden import without_hidden
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.overrides import implementation
from hopref.dispatch.paths import BACKENDS, choose, function_of, takes_half, use_backend
from hopref.dispatch.registry import OPS, descent_of, gradient_of, load
from hopref.dispatch.varied import Split, firsts, varied
from hopref.errors import CallError, DomainError, RangeError, ResourceError, naming

__all__ = ["OPS", "BACKENDS", "op", "Operation", "load", "gradient_of", "descent_of",
           "use_backend", "unchecked", "Call", "bind", "numpy_scalars"]

P = ParamSpec("P")
R = TypeVar("R")
Backend = Literal["formula", "numba", "cupy"]
Nonfinite = Literal["raise", "propagate"]

_unchecked = ContextVar("unchecked", default=False)


class Call(NamedTuple):
    """A validated call: ``path(*args, **kwargs)`` inside `unchecked` runs it, repeatedly."""
    path: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Operation(Protocol[P, R]):
    """A function declared by `op`, with these attributes and three additional keywords.

    ``backend`` names the path to take, ``nonfinite`` what becomes of NaN and inf in the arguments,
    ``check`` whether structure, such as the symmetry of W, is verified.
    """
    __name__: str
    __wrapped__: Callable[P, R]
    name: str
    shapes: str
    signature: inspect.Signature
    domains: dict[str, Domain]
    arrays: dict[str, tuple[str, ...]]
    by_row: frozenset[str]
    by_query: bool
    outputs: tuple[tuple[str, ...], ...]
    optional: frozenset[str]
    zeros: frozenset[str]
    structural: bool
    lowers: tuple[Any, str] | None
    scratch: tuple[str, ...] | None
    source: str
    ids: tuple[str, ...]
    paths: tuple[str, ...]
    parts: str | None
    formula: Callable[P, R]

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, *args: Any, backend: Backend | None, **kwargs: Any) -> R: ...
    @overload
    def __call__(self, *args: Any, nonfinite: Nonfinite | None, **kwargs: Any) -> R: ...
    @overload
    def __call__(self, *args: Any, check: bool | None, **kwargs: Any) -> R: ...

    def prepare(self, *args: Any, **kwargs: Any) -> Call:
        """Validate the arguments and choose the path, without running it."""


class unchecked(contextlib.ContextDecorator):
    """Context in which operations run their formulas unchecked.

    NumPy's floating-point warnings are disabled: intermediate overflow and inf - inf are expected,
    and results are validated instead.
    """
    __slots__ = ("errors", "token")

    def _recreate_cm(self) -> "unchecked":          # a decorated function may call itself
        return unchecked()

    def __enter__(self) -> None:
        self.errors = np.errstate(all="ignore")
        self.errors.__enter__()
        self.token = _unchecked.set(True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        _unchecked.reset(self.token)
        self.errors.__exit__(kind, error, trace)


def op(shapes: str, *, lowers: Any = None, shape_rule: Any = None, precondition: Any = None,
       scratch: str | None = None, result: Array = number, **domains: Domain,
       ) -> Callable[[Callable[P, R]], Operation[P, R]]:
    """Declare the formula below: shapes, domains, the energy it lowers, the memory it forms.

    ``shape_rule(given)`` and ``precondition(xp, given)`` return the sentence that fails where
    shapes, or values, depend on each other, or None.  ``lowers`` is an energy, or a pair: an
    energy and the condition under which it falls.  ``result`` states which infinities may be
    returned: `number` (both), `scores` (-inf) or `finite` (none).
    """
    def declare(formula: Callable[P, R]) -> Operation[P, R]:
        declaration = Declaration(formula, shapes, dict(domains), lowers, shape_rule, precondition,
                                  scratch, result)
        resolved = _with_options_resolved(declaration)
        title = f"hopref.{declaration.name}"

        @functools.wraps(formula)
        def operation(*args: Any, backend: Backend | None = None,
                      nonfinite: Nonfinite | None = None, check: bool | None = None,
                      **kwargs: Any) -> Any:
            if _unchecked.get():
                return (implementation(operation, args) or resolved)(*args, **kwargs)
            with naming(title), np.errstate(all="ignore"):
                numbers = varied(declaration, kwargs)
                if numbers:
                    kwargs |= firsts(declaration, numbers)
                call = _prepare(declaration, args, kwargs, backend, nonfinite, check)
                if numbers:
                    call = _split(declaration, call, numbers)
                token = _unchecked.set(True)
                try:
                    return _result(declaration, call, kwargs, nonfinite)
                finally:
                    _unchecked.reset(token)

        def prepare(*args: Any, backend: Backend | None = None, nonfinite: Nonfinite | None = None,
                    check: bool | None = None, **kwargs: Any) -> Call:
            with naming(title), np.errstate(all="ignore"):
                return _prepare(declaration, args, kwargs, backend, nonfinite, check)

        @functools.wraps(formula)
        def bare(*args: Any, **kwargs: Any) -> Any:
            with unchecked():
                return resolved(*args, **kwargs)

        vars(operation).update(declaration.facts(), formula=bare, prepare=prepare,
                               __signature__=_full_signature(declaration))
        operation.__doc__ = completed(declaration, formula.__doc__)
        if rule := OPS.get(declaration.name.removeprefix("gradients.")):
            rule.__doc__ = with_gradient(rule.__doc__, declaration.name)
        OPS[declaration.name] = operation
        return cast(Operation[P, R], operation)
    return declare


def _with_options_resolved(declaration: Declaration) -> Callable[..., Any]:
    """The formula itself, with names of options turned into what they name."""
    formula, choices, defaults = declaration.formula, declaration.choices, declaration.defaults

    def resolved(*args: Any, **kwargs: Any) -> Any:
        for k, domain in choices.items():
            kwargs[k] = domain.resolve(kwargs[k] if k in kwargs else defaults[k])
        return formula(*args, **kwargs)
    return resolved if choices else formula


def _full_signature(declaration: Declaration) -> inspect.Signature:
    """The formula's signature and the keywords that every operation takes."""
    signature = declaration.signature
    extra = ["backend", "nonfinite"] + ["check"] * declaration.structural
    keywords = [inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=None) for k in extra]
    return signature.replace(parameters=[*signature.parameters.values(), *keywords])


def _prepare(declaration: Declaration, args: Any, kwargs: Any, backend: Any, nonfinite: Any,
             check: Any) -> Call:
    """The validated call; the caller names the operation in errors."""
    given = bind(declaration, args, kwargs)
    if nonfinite is not None and not (
            isinstance(nonfinite, str) and nonfinite in ("raise", "propagate")):
        raise DomainError(f"nonfinite must be None, 'raise' or 'propagate'; got {nonfinite!r}")
    if check is not None and not (isinstance(check, bool) and declaration.structural):
        raise CallError(f"check must be True or False, for structural domains; got {check!r}")
    arrays, xp = validation.located(declaration, given)
    path = choose(declaration, backend, lambda: validation.home_of(arrays, xp), nonfinite)
    fast = path != "formula"
    half = fast and takes_half(declaration.name, path)
    given.update(validation.validate(declaration, given, arrays, xp, fast, half, nonfinite, check))
    if nonfinite == "propagate" and declaration.name.startswith("gradients."):
        given.update(without_hidden(declaration, given))
    function = function_of(declaration.name, path) if fast else declaration.formula
    return Call(function, tuple([given.pop(k) for k in declaration.operands]), given)


def _split(declaration: Declaration, call: Call, numbers: Any) -> Call:
    """The call for numbers that differ between leading indices."""
    operands = declaration.operands
    split = Split(declaration, dict(zip(operands, call.args)) | call.kwargs, numbers)

    def path() -> Any:
        return split.joined([call.path(*[piece.pop(k) for k in operands], **piece)
                             for piece in split.pieces])
    return Call(path, (), {}) if split.pieces else call


def _result(declaration: Declaration, call: Call, given: Mapping[str, Any], nonfinite: Any
            ) -> Any:
    """The result of the call; NumPy's MemoryError and unrequested NaN become errors of hopref."""
    try:
        result = numpy_scalars(call.path(*call.args, **call.kwargs))
    except MemoryError as error:
        if isinstance(error, ResourceError):
            raise
        raise ResourceError(f"the arrays of the formula must fit in memory; got {error}") from error
    if nonfinite != "propagate":
        for part in result if isinstance(result, tuple) else (result,):
            if not _representable(part, declaration.result) \
                    and not _asks_for_nan(declaration, given):
                got = "an infinity" if _representable(part, number) else "NaN"
                raise RangeError(f"the result must be {declaration.result.description}, and the "
                                 "numbers on the way to it in the range of float64, below 1.8e308 "
                                 f"in size; got {got}: rescale the arguments")
    return result


def _representable(y: Any, domain: Array) -> bool:
    """Whether all entries are in the domain of results; arrays on a device are not inspected."""
    if type(y) is np.ndarray and y.dtype.kind == "f":
        return math.isfinite(np.vdot(y, y)) or _holds(np, y, domain)    # no temporary array
    if isinstance(y, (np.generic, float)):
        return math.isfinite(y) or _holds(np, np.asarray(y), domain)
    if isinstance(y, np.ndarray) or not hasattr(y, "__dlpack_device__") or not on_host(y):
        return True
    xp = namespace(y)
    return not xp.isdtype(y.dtype, "real floating") or _holds(xp, y, domain)


def _holds(xp: Any, y: Any, domain: Array) -> bool:
    return domain.holds is None or bool(xp.all(domain.holds(xp, y)))


def _asks_for_nan(declaration: Declaration, given: Mapping[str, Any]) -> bool:
    """Whether an option requests NaN, as ``empty_row="nan"`` does."""
    options = {k: domain.unresolved({**declaration.defaults, **given}[k])
               for k, domain in declaration.choices.items()}
    return any(isinstance(v, str) and v == "nan" for v in options.values())


def numpy_scalars(y: Any) -> Any:
    """0-d NumPy results as NumPy scalars."""
    if isinstance(y, tuple):
        return tuple([numpy_scalars(part) for part in y])
    return y[()] if type(y) is np.ndarray and y.ndim == 0 else y
