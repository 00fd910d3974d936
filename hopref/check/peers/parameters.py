"""Arguments by the parameters of the candidate: names, places, and values that it requires."""
import inspect
from dataclasses import dataclass

import numpy as np

from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.layouts import letters
from hopref.errors import PluginError

__all__ = ["Parameters", "leading", "merged", "passed", "real_format"]


@dataclass(frozen=True)
class Parameters:
    """The parameters of a candidate for an op; ``found`` is None if they are unknown."""
    found: dict | None
    op: object
    convention: object

    def check(self):
        """Refuse ``--fixed`` and ``--map`` with parameters that the candidate does not have."""
        if self.found is None or self.has_kind(inspect.Parameter.VAR_KEYWORD):
            return
        has = f"it has {', '.join(self.found)}"
        for name in self.convention.fixed:
            if name not in self.found:
                raise PluginError(f"--fixed: the candidate takes no {name!r}; {has}")
        for ours, theirs in self.convention.names.items():
            if theirs not in self.found and ours not in self.convention.optional:
                raise PluginError(f"--map {ours}: the candidate takes no {theirs!r}; {has}")

    def takes(self, name, placed=0):
        """Whether the candidate accepts the keyword ``name`` after ``placed`` operands."""
        if self.found is None:
            return name in self.convention.names.values()
        if self.has_kind(inspect.Parameter.VAR_KEYWORD):
            return True
        return name in list(self.found)[placed:] and \
            self.found[name].kind in (inspect.Parameter.KEYWORD_ONLY,
                                      inspect.Parameter.POSITIONAL_OR_KEYWORD)

    def has_kind(self, kind):
        return any(p.kind is kind for p in self.found.values())

    def has_places(self, number):
        return self.found is None or self.has_kind(inspect.Parameter.VAR_POSITIONAL) or \
            number <= sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                          for p in self.found.values())

    def requires(self, name):
        """Whether the candidate has a parameter of this name without a default."""
        p = (self.found or {}).get(name)
        return p is not None and p.default is p.empty and \
            p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)

    def complete(self, given, lead):
        """The arguments, with the defaults of the op where the candidate requires a value."""
        names = self.convention.names
        places = [k for k in self.op.operands if k in given and k not in names]
        covered = {*list(self.found or ())[:len(places)], *self.convention.fixed,
                   *(names.get(k, k) for k in given)}
        for k in self.op.defaults:
            theirs = names.get(k, k)
            explicit = k in self.convention.order \
                or k in self.convention.explicit and self.takes(theirs)
            absent = given[k] is None if k in given else theirs not in covered
            if absent and (explicit or self.requires(theirs)):
                given = {**given, k: default(self.op, k, given, lead)}
                covered.add(theirs)
        return given

    def arranged(self, given):
        """Positional and keyword arguments; `NotOffered` if the candidate lacks an option."""
        names = self.convention.names
        renamed = {k for k in given if k in names and self.takes(names[k])}
        named = {names[k]: given[k] for k in given if k in renamed}
        rest = {k: v for k, v in given.items() if k not in renamed}
        order = [k for k in (self.convention.order or self.op.operands)
                 if k in rest and k not in names]
        places = [rest.pop(k) for k in order]
        for k, v in rest.items():
            only = k in self.convention.given
            neutral = same(v, self.op.defaults.get(k, inspect.Parameter.empty))
            if k not in names and self.takes(k, len(places)) and not (
                    only and neutral and k not in (self.found or ())):
                named[k] = v
            elif not neutral and not only:
                raise NotOffered(f"{k}={shown(v)}")
        if not self.has_places(len(places)):
            raise NotOffered(f"{len(places)} operands")
        return places, named


def default(op, k, given, lead):
    """The default of an option as a value: a full array, or the scale 1/sqrt(d)."""
    sizes = {d: n for a, v in given.items() if a in op.arrays and isinstance(v, np.ndarray)
             for d, n in zip(letters(op.arrays[a], v.ndim), v.shape)}
    value = op.defaults[k]
    if k in op.arrays and value is not None:
        core = tuple(sizes[d] for d in op.arrays[k] if d != "...")
        kind = bool if op.domains[k].kind == "bool" else real_format(given)
        return np.full((*lead, *core) if op.arrays[k][:1] == ("...",) else core, value, kind)
    return sizes["d"] ** -0.5 if value is None and k == "scale" else value


def merged(given, names):
    """The arguments, with a mask and a bias of the same name as one array."""
    masks = [k for k, v in given.items() if isinstance(v, np.ndarray) and v.dtype.kind == "b"]
    for mask in masks:
        for k, v in given.items():
            if k != mask and k in names and names[k] == names.get(mask) \
                    and isinstance(v, np.ndarray):
                hidden = np.where(given[mask], v, np.array(-np.inf, v.dtype))
                return {a: hidden if a == k else x for a, x in given.items() if a != mask}
    return given


def passed(op, k, given):
    """Whether a call has another value of an option than its default."""
    return k in given and not same(given[k], op.defaults.get(k))


def same(v, default):
    return not isinstance(v, np.ndarray) and type(v) is type(default) and v == default


def shown(v):
    return "an array" if hasattr(v, "ndim") else repr(v)


def real_format(given):
    """The format of the real arrays of a call."""
    real = (v.dtype for v in given.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f")
    return next(real, np.dtype(float))


def leading(op, given):
    """The leading axes of this call."""
    for k, v in given.items():
        if op.arrays.get(k, ())[:1] == ("...",) and isinstance(v, np.ndarray):
            return v.shape[:v.ndim - len(op.arrays[k]) + 1]
    return ()
