"""What a verdict rests on: the cases that were put of those due, options, parameters."""
from difflib import get_close_matches
from inspect import Parameter

from hopref.check.report.findings import Put
from hopref.dispatch.domains import Choice, Flag

__all__ = ["SHARE", "record_of", "cover"]

SHARE = 0.25    # of the cases, and of the values of options, below which a verdict is partial


def record_of(op, case):
    """The record of a case that has not been put to the candidate."""
    family = getattr(case, "family", "") or case.name.partition(", ")[0]
    return Put("case", case.name, "not put", family, tuple(options_of(op, case)))


def options_of(op, case):
    """The options that a case passes; switches and choices with their values."""
    for k, v in case.kwargs.items():
        switch = isinstance(op.domains.get(k), (Flag, Choice)) or isinstance(v, (bool, str))
        yield f"{k}={v}" if switch else k


def cover(report, op, never_passed, names=()):
    """Note in the report which options were never tried, and why its verdict may be partial.

    Parameters
    ----------
    report : Report, with the records of its cases and laws
    op : the operation, or None
    never_passed : parameters of the candidate that no call passed
    names : arguments of the op with a name of the candidate
    """
    drawn = [r for r in report.records if r.kind == "case"]
    put = [r for r in drawn if r.outcome not in ("not offered", "not put")]
    values = [dict.fromkeys(o for r in some for o in r.options) for some in (drawn, put)]
    report.untried = [o for o in values[0] if o not in values[1]]
    if never_passed:
        report.gaps.append(unpassed(report, op, never_passed, names))
    if op is None or not drawn:
        laws = [r.outcome == "not offered" for r in report.records if r.kind == "law"]
        few, counted = sum(laws) > (1 - SHARE) * len(laws), (len(laws) - sum(laws), len(laws))
        report.gaps += [f"{counted[0]} of {counted[1]} laws could be put"] * few
        return
    if len(put) < SHARE * len(drawn):
        report.gaps.append(f"{len(put)} of {len(drawn)} cases could be put{advice(report, op)}")
    elif len(values[1]) < SHARE * len(values[0]):
        report.gaps.append(f"{len(values[1])} of {len(values[0])} values of options could be "
                           f"tried{advice(report, op)}")


def unpassed(report, op, never_passed, names):
    """Which parameters were never passed, and the options of the command that would pass them."""
    free = dict.fromkeys(o.partition("=")[0] for o in report.untried)
    free = [k for k in free if k not in names]
    placed = [theirs for theirs in never_passed if theirs in free]      # by name it cannot be
    free = [k for k in free if k not in placed]
    words = [f"--order {','.join([*op.operands, *placed])}"] if placed else []
    for theirs in never_passed:
        near = get_close_matches(theirs, free, 1) or (free if len(free) == 1 else [])
        if near and theirs not in placed:
            words.append(f"--map {near[0]}={theirs}")
        elif free and theirs not in placed:
            words.append(f"--map OPTION={theirs}, with OPTION one of {', '.join(free)}")
        words.append(f"--fixed {theirs}=VALUE")
    plural = "s" * (len(never_passed) > 1)
    verb = "were" if plural else "was"
    return (f"the parameter{plural} {', '.join(never_passed)} of the candidate {verb} never "
            f"passed: {' or '.join(words)}")


def advice(report, op):
    """The options of the command with which the untried options are reached, or left out."""
    free = dict.fromkeys(o.partition("=")[0] for o in report.untried)
    default = {k: op.signature.parameters[k].default for k in free}
    fixed = " ".join(f"--set {k}={v}" for k, v in default.items() if v is not Parameter.empty)
    if not fixed:
        return ""
    return (": --map OPTION=NAME for those of another name, --order for those by place; for those "
            f"that it lacks {fixed}")
