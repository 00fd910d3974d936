"""The declaration of one operation, from its decorator, signature and docstring."""
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from hopref.dispatch.domains import (
    Array,
    Choice,
    Domain,
    Flag,
    Scalar,
    Seed,
    Several,
    below_infinity,
    finite,
    number,
)
from hopref.dispatch.paths import paths_of
from hopref.errors import CallError

__all__ = ["Declaration", "bind"]

Dims = tuple[str, ...]              # the axes of an array, such as ("...", "d")


@dataclass(eq=False)
class Declaration:
    """The declared properties of an operation, and quantities derived from them once."""
    formula: Callable[..., Any]                     # the function below the decorator
    shapes: str                                     # "(...,d),(n,d)->(...,d)"
    domains: dict[str, Domain]                      # of every parameter
    lowers: Any = None                              # an energy and the condition under which
    shape_rule: Callable[[Mapping[str, Any]], str | None] | None = None
    precondition: Callable[[Any, Mapping[str, Any]], str | None] | None = None
    scratch: Any = None                             # the axes of the largest array it forms
    result: Array = number                          # which infinities may be results

    name: str = field(init=False)                   # "modern.update"
    signature: inspect.Signature = field(init=False)
    arrays: dict[str, Dims] = field(init=False)
    outputs: tuple[Dims, ...] = field(init=False)
    optional: frozenset[str] = field(init=False)    # arrays that may be left out
    zeros: frozenset[str] = field(init=False)       # arrays of zeros if they are the number 0
    structural: bool = field(init=False)            # whether a domain is more than entry by entry
    source: str = field(init=False)                 # the docstring's Source, on one line
    ids: tuple[str, ...] = field(init=False)        # the catalogue ids in it
    paths: tuple[str, ...] = field(init=False)      # "formula", and the backends that have it
    by_row: frozenset[str] = field(init=False)      # numbers that may differ between leading axes
    by_query: bool = field(init=False)              # or between queries, with keys of their own
    parts: str | None = field(init=False)           # its kind of mergeable parts
    operands: Dims = field(init=False)              # parameters by position
    modifiers: frozenset[str] = field(init=False)   # parameters by keyword only
    defaults: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.signature = inspect.signature(self.formula)
        parameters = self.signature.parameters
        self.name = ".".join([*_module_name(self.formula.__module__), self.formula.__name__])
        inputs, _, outputs = self.shapes.partition("->")
        arrays = dict(zip(parameters, _groups(inputs)))
        arrays |= {k: _groups(d.dims)[0] for k, d in self.domains.items()
                   if isinstance(d, Array) and d.dims}
        self.arrays = {k: arrays[k] for k in [*parameters, *arrays] if k in arrays}
        self.outputs = tuple(_groups(outputs))
        self.domains = {**{k: finite for k in arrays}, **self.domains}
        self.scratch = self.scratch and _groups(self.scratch)[0]
        if self.lowers is not None and not isinstance(self.lowers, tuple):
            self.lowers = (self.lowers, "always")
        self.defaults = {k: p.default for k, p in parameters.items() if p.default is not p.empty}
        self.optional = frozenset(k for k in arrays if k in self.defaults)
        self.operands = tuple(k for k, p in parameters.items() if p.kind is not p.KEYWORD_ONLY)
        self.modifiers = frozenset(k for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY)
        self.structural = any(isinstance(d, Array) and d.structural is not None
                              for d in self.domains.values())
        source = re.search(r"Source: *(.+?)(?:\n\s*\n|\Z)", self.formula.__doc__ or "", re.S)
        self.source = " ".join(source[1].split()) if source else ""
        self.ids = tuple(re.findall(r"\b[A-Z]{2,3}-\d+\b", self.source))
        self.paths = paths_of(self.name)
        self.parts = _kinds_of_parts().get(self.name)
        self.layout = [(k, dims[:1] == ("...",), dims[dims[:1] == ("...",):])
                       for k, dims in self.arrays.items()]
        self.array_domains = {k: d for k in self.arrays if isinstance(d := self.domains[k], Array)}
        self.zeros = frozenset(k for k, d in self.array_domains.items() if d.zeros)
        self.squares = {k: inf if d.holds in (finite.holds, below_infinity) else d.squares
                        for k, d in self.array_domains.items()}
        self.multiples = {dim for dims in self.arrays.values() for dim in dims if dim[0].isdigit()}
        self.scalars = {k: d for k, d in self.domains.items()
                        if isinstance(d, (Scalar, Flag, Seed)) and k in parameters}
        rows = all(dims[:1] == ("...",) for dims in self.outputs) and any(
            dims[:1] == ("...",) and k not in self.optional for k, dims in self.arrays.items())
        self.by_row = frozenset(k for k, d in self.scalars.items() if rows and k in self.modifiers
                                and isinstance(d, Scalar) and d.kind is float)
        self.by_query = bool(self.by_row) and any("s" in dims for dims in self.arrays.values()) \
            and all(dims[:2] == ("...", "l") for dims in self.outputs)
        self.choices = {k: d for k, d in self.domains.items() if isinstance(d, (Choice, Several))}

    def facts(self) -> dict[str, Any]:
        """The fields by name, for the attributes of the operation."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def bind(op: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument by its name, defaults applied; `CallError` if the signature has no such call.

    ``op`` is an operation or its declaration.
    """
    if len(args) <= len(op.operands) and kwargs.keys() <= op.modifiers:
        given = {**op.defaults, **dict(zip(op.operands, args)), **kwargs}
        if len(given) == len(op.operands) + len(op.modifiers):
            return given
    try:
        bound = op.signature.bind(*args, **kwargs)
    except TypeError as error:
        got = str(error).removeprefix("got ").replace("missing a required argument:", "no argument")
        raise CallError(f"must be called as {op.name}{op.signature}; got {got}") from None
    bound.apply_defaults()
    return dict(bound.arguments)


def _module_name(module: str) -> list[str]:
    """``modern`` for hopref.models.modern, ``gradients.modern`` for its counterpart.

    Operations of a package are named after it, wherever in it they are defined; those outside of
    hopref after their module.
    """
    package, *path = module.split(".")
    if package != "hopref" or path[0] == "models":
        return [module.rpartition(".")[2]]
    if path[-1] == "deterministic":     # the one module of a package that operations name
        return path
    return path[:2] if path[0] == "gradients" else path[:1]


def _groups(text: str) -> list[Dims]:
    return [tuple(g.split(",")) if g else () for g in re.findall(r"\(([^)]*)\)", text)]


@functools.cache
def _kinds_of_parts() -> dict[str, str]:
    """The kind of mergeable parts of each operation that has one."""
    kinds = importlib.import_module("hopref.parts").KINDS
    return {name: kind for kind, names in kinds.items() for name in names}
