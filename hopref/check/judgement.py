"""Judgements from Python: options with the names of the command, and the items of a judgement."""
from dataclasses import fields, replace
from difflib import get_close_matches

from hopref.check.engine.candidate import InProcess, Outcome
from hopref.check.engine.judge import judge
from hopref.check.laws import laws_of
from hopref.check.laws import load as load_laws
from hopref.check.peers.adapters import bound
from hopref.check.peers.conventions import Convention, convention_from, in_format
from hopref.check.peers.conventions import validated as validated_for
from hopref.dispatch.operation import load
from hopref.errors import PluginError

__all__ = ["convention_of", "items", "judged", "near", "validated"]

KEYWORDS = {"map": "names", "set": "given", "size": "sizes"}    # of the command: of `Convention`
OF_JUDGE = ("dtype", "arithmetic", "seed", "only", "input", "thorough", "xfail")


def judged(function, like, options):
    """The report on a function, by options of `hopref.check.check`."""
    validated(like)
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', function)}"
    called = name.rpartition(":")[2]
    convention, adapter = convention_of(like, options), options.get("adapter", "")
    if callable(adapter):
        function, adapter = adapter(function), ""
    candidate = InProcess(bound(function, like, convention, adapter), name)
    again = "".join(f", {k}={repeated(v)}" for k, v in options.items()
                    if k not in ("only", "input", "seed", "xfail") and v not in ("", None)
                    and (k, v) != ("dtype", "float64"))
    return judge(candidate, like, **{k: options[k] for k in OF_JUDGE if k in options},
                 convention=convention, certify=True,
                 again=lambda kind, value, seed: f"check({called}, {like!r}{again}, "
                 f"{'only' if kind == 'case' else kind}={value!r}, seed={seed})")


def repeated(v):
    """An option as it is written in the line that reproduces a case."""
    return getattr(v, "__qualname__", None) or repr(v)


def convention_of(like, options):
    """The convention of the candidate, by the options of the command."""
    known = {k.name for k in fields(Convention)} - {"dtype", *KEYWORDS.values()}
    known |= {k for k, v in KEYWORDS.items() if v in {f.name for f in fields(Convention)}}
    for k in options.keys() - known - {*OF_JUDGE, "adapter", "convention"}:
        raise TypeError(f"check() has no option {k!r}{near(k, {*known, *OF_JUDGE, 'adapter'})}")
    own = {KEYWORDS.get(k, k): tuple(v) if isinstance(v, list) else v
           for k, v in options.items() if k in known}
    start, dtype = options.get("convention", ""), options.get("dtype", "float64")
    if isinstance(start, Convention):
        op = load().get(like)
        return replace(start, **own) if op is None else validated_for(op, replace(start, **own),
                                                                      dtype)
    return convention_from(like, in_format({"convention": start, **own}, dtype))


def validated(like):
    """Refuse a name that no operation, and no function with laws, has."""
    if like not in load() and not laws_of(like):
        known = {*load(), *(name for law in load_laws().values() for name in law.subjects)}
        raise PluginError("--like must name an operation or another function of hopref that has "
                          f"laws; got {like!r}{near(like, known)}")


def near(name, known):
    """The known names that are close to a given one, as the end of a message."""
    found = get_close_matches(name, sorted(known), 3)
    return f" (did you mean {' or '.join(found)}?)" if found else ""


class Absent:
    """A candidate that offers nothing, so that a judgement lists its cases and laws."""
    name = "absent"

    def call(self, args, kwargs, layout="C"):
        return Outcome(failure="not offered")


def items(like, options):
    """Pairs of kind and name of the cases and laws of a judgement."""
    validated(like)
    convention = convention_of(like, options)
    chosen = {k: options[k] for k in ("dtype", "arithmetic", "seed", "thorough")
              if k in options}
    report = judge(Absent(), like, draws=1, convention=convention, **chosen)
    return [(r.kind, r.name) for r in report.records]
