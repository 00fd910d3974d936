"""Inputs for judging an op, determined by its declaration and a seed.

A case is one combination of levels (see `hopref.check.cases.levels`): a family of numbers, sizes,
a layout, and a level of every option.  The cases of an op are the plainest combination, those that
differ from it in one level, those of each size with all options, and a covering array of pairs:
each two options, in each two of their levels, meet in a case.  Pairs of factors with more than
`QUICK` combinations of levels are covered with ``thorough=True``.  Combinations that the op refuses
are left out.

Arrays and real modifiers are machine numbers of the format of the candidate.
"""
import functools
import math
import zlib
from dataclasses import dataclass

import numpy as np

from hopref.check.cases.arguments import typical
from hopref.check.cases.covering import covering, pairs_of, wanted_pairs
from hopref.check.cases.families import BETA
from hopref.check.cases.levels import factors, sizes_of
from hopref.check.cases.numbers import Setting, array, hide, tame
from hopref.check.tolerance.arithmetic import round_to
from hopref.dispatch.domains import Scalar, Seed, number
from hopref.errors import HoprefError
from hopref.features import PAIRED

__all__ = ["Case", "cases", "case_named", "levels_met", "plainest"]

QUICK = 32              # combinations of levels of two factors that are covered without `thorough`
MOST_WITH_OPTIONS = 300         # size of an axis that is combined with options


@dataclass(frozen=True)
class Case:
    """One call.

    In ``stress`` cases code without stabilisation may overflow.  In ``correlated`` cases rounding
    errors do not have random signs.
    """
    name: str
    args: tuple
    kwargs: dict
    stress: bool = False
    correlated: bool = False
    layout: str = "C"
    levels: tuple = ()              # pairs (factor, label) other than the plainest

    @property
    def family(self):
        return dict(self.levels).get("family", "gauss")


def cases(op, dtype="float64", seed=0, given=None, sizes=None, thorough=False):
    """All distinct cases of an op.

    Parameters
    ----------
    op : operation
    dtype : number format of the candidate
    seed : int
    given : dictionary of values that options have in every case
    sizes : dictionary from letters of axes to their sizes, or to other letters
    thorough : bool, whether all pairs of levels are covered, and long axes added

    Returns
    -------
    list of Case
    """
    return list(all_cases(op, dtype, seed, tuple(sorted((given or {}).items())),
                          tuple(sorted((sizes or {}).items())), thorough))


@functools.lru_cache(maxsize=32)
def all_cases(op, dtype, seed, given, sizes, thorough):
    given, sizes = dict(given), dict(sizes)
    known = factors(op, dtype, given, sizes, thorough)
    plainest = dict.fromkeys(known, "")
    drawn, left = {}, wanted(known, thorough)

    def put(rows):
        for row in rows:
            case = draw(op, known, row, dtype, seed, given, sizes)
            if case.name not in drawn and accepts(op, case):
                drawn[case.name] = case
                left.difference_update(pairs_of(row))
    put([plainest, *({**plainest, name: label} for name, levels in known.items()
                     for label in levels if label)])
    put(with_all_options(known, plainest))
    put(long_recurrences(known, plainest))
    put(covering(known, left))
    put({**plainest, **dict(pair)} for pair in sorted(map(sorted, left)))
    return tuple(drawn.values())


def wanted(known, thorough):
    """The pairs of levels that are to meet."""
    if thorough:
        return wanted_pairs(known, math.inf)
    quick = {k: v for k, v in known.items() if k != "layout"}
    quick["sizes"] = [k for k, v in known["sizes"].items() if longest_axis(v) <= MOST_WITH_OPTIONS]
    return wanted_pairs(quick, QUICK)


def with_all_options(known, plainest):
    """For sizes from 18 to 300, and without leading axes, a combination in which no option has its
    plainest level."""
    options = [k for k in known if k not in ("family", "sizes")]
    chosen = [label for label, sizes in known["sizes"].items()
              if 17 < longest_axis(sizes) <= MOST_WITH_OPTIONS or sizes.get("...", (0,)) == ()]
    for i, size in enumerate(chosen if len(options) > 1 else []):
        levels = {k: [*known[k]][1 + i % (len(known[k]) - 1)] for k in options}
        yield {**plainest, **levels, "sizes": size}


def long_recurrences(known, plainest):
    """For long sequences each rule of a recurrence alone: other options may erase its memory."""
    for rule in filter(None, known.get("rule", ())):
        for label, sizes in known["sizes"].items():
            if sizes.get("l", 0) > 8:
                yield {**plainest, "rule": rule, "sizes": label}


def longest_axis(sizes):
    return max((n for d, n in sizes.items() if d != "..."), default=0)


def levels_met(op, drawn):
    """The pairs of levels that meet in a case, and those that no case contains."""
    known = factors(op, "float64", {}, {}, False)
    met = set().union(*(pairs_of({**dict.fromkeys(known, ""), **dict(c.levels)}) for c in drawn))
    return met, wanted(known, False) - met


def accepts(op, case):
    """Whether the op accepts this input, and its result is in range."""
    run = op.prepare if op.result is number and case.family != "subnormal numbers" else op
    try:
        run(*case.args, **case.kwargs)
    except HoprefError:
        return False
    return True


def case_named(op, name, dtype="float64", seed=0):
    """The case with the given name."""
    drawn = cases(op, dtype, seed)
    for case in drawn:
        if case.name == name:
            return case
    raise ValueError(f"{op.name} has no case {name!r}; it has "
                     + ", ".join(repr(c.name) for c in drawn))


def plainest(op, dtype="float64", seed=0, sizes=None, given=None):
    """The case of ordinary numbers without options, at given sizes of axes.

    Parameters
    ----------
    op : operation
    dtype : number format of the candidate
    seed : int
    sizes : dictionary from letters of axes to their sizes, or to other letters
    given : dictionary of values that options have

    Returns
    -------
    Case
    """
    known = factors(op, dtype, given or {}, sizes or {}, False)
    return draw(op, known, dict.fromkeys(known, ""), dtype, seed, given or {}, sizes or {})


def draw(op, known, row, dtype, seed, given, fixed):
    """The case of one combination of labels."""
    labels = [label for label in row.values() if label]
    name = ", ".join(labels if row["family"] or row["sizes"] else ["gauss", *labels])
    levels = {**{k: known[k][label] for k, label in row.items()}, **given}
    chosen = {**levels["family"].sizes, **levels["sizes"], **fixed}
    rng = np.random.default_rng([seed, zlib.crc32(f"{op.name}/{name}".encode())])
    sizes = sizes_of(op, chosen, 2 if levels.get("features") in PAIRED else 1)
    it = Setting(op, levels, sizes, dtype, rng)
    values = {}
    for k, parameter in op.signature.parameters.items():
        if k in given:
            if k not in op.arrays:
                values[k] = given[k]
        elif k in op.arrays:
            if parameter.default is parameter.empty or levels.get(k) or needed(it, k):
                values[k] = array(it, k)
        elif (v := option(it, k, parameter.default, seed, values)) is not None:
            values[k] = v
    hide(it, values)
    tame(it, values)
    kinds = op.signature.parameters
    args = tuple(values.pop(k) for k in list(values) if kinds[k].kind is kinds[k].POSITIONAL_ONLY)
    for a in (*args, *values.values()):
        if isinstance(a, np.ndarray):
            a.flags.writeable = False
    kernel = bool({"omega", "omegas", "phi_q", "log_q"} & set(op.arrays))
    stress = kernel and levels["family"].stress_for_kernels \
        or overreaches(op, args, values, it.format["largest"])
    return Case(name, args, values, stress, levels["family"].correlated, levels["layout"],
                tuple((k, label) for k, label in row.items() if label))


def longest(rows):
    """The largest squared norm."""
    return float(np.max(np.sum(np.square(rows, dtype=float), axis=-1), initial=0))


def overreaches(op, args, kwargs, largest):
    """Whether exp(|u|) exp(beta |x|^2/2), u = sqrt(beta) omega x, may overflow the format."""
    *vectors, omega = args
    if list(op.arrays)[len(vectors):len(args)] not in (["omega"], ["omegas"]):
        return False
    beta = kwargs.get("beta", kwargs.get("scale", 1.0))
    x, w = max(map(longest, vectors[:2])), longest(omega)
    u = math.sqrt(beta * x * w)
    return u + beta * x / 2 > math.log(largest)


# -- options --------------------------------------------------------------------------------------

def option(it, k, default, seed, values):
    """The value of an argument that is no array; None where it is not passed."""
    domain, wanted = it.op.domains[k], it.levels.get(k)
    if isinstance(domain, Scalar):
        if wanted is None or wanted is True:
            return scalar(it, k, domain) if wanted or passed(it, k, default) else None
        if wanted == "all":
            return it.sizes["n" if "n" in it.sizes else "d"]
        if wanted == "an entry":
            rows = next(reversed([v for v in values.values() if isinstance(v, np.ndarray)]))
            return float(rows.ravel()[0]) if rows.size else None
        return wanted
    if isinstance(domain, Seed) and default is it.op.signature.empty:
        return seed
    return wanted


def passed(it, k, default):
    """Whether a number is passed: not if its default is neutral, unless the family requires it."""
    if it.family.default_options:
        return default is it.op.signature.empty
    return default not in (0, None) or k in ("beta", "scale") and it.family.beta != BETA


def needed(it, k):
    """Whether an optional operand is passed: the threshold is, except with defaults or in ties, the
    log scale of a state, and the strengths of writes of the delta rule."""
    return k == "c" and (it.levels.get("S") or it.levels.get("z")) or \
        k == "beta" and it.levels.get("rule") == "delta" or \
        k == "b" and not it.family.default_options and it.family.name != "ties"


def scalar(it, k, domain):
    """A number of the domain; that of the family for an inverse temperature."""
    if domain.kind is int:
        axes = {d for dims in it.op.arrays.values() for d in dims}
        v = 3 if k in axes else it.sizes.get(k, 6)
        return min(v, it.sizes.get("n", v)) if k == "k" else v
    if k in ("beta", "scale"):
        return float(round_to(it.family.beta, it.dtype))
    if k == "theta":
        return -0.25
    part = float(round_to(it.rng.uniform(0.125, 0.5), it.dtype))
    return next(v for v in (part, -part, 1 + part, *typical(domain)) if domain.holds(v))
