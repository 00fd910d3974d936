"""Random and adversarial inputs for judging an op, determined by its declaration and a seed.

A family is a distribution of numbers; a case is one draw with one set of options.  Every case is
determined by its name and the seed.  Arrays and real modifiers are machine numbers of the format of
the candidate.
"""
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hopref.check.cases.arguments import legal, shape_of, typical, with_multiples
from hopref.check.tolerance.arithmetic import largest, round_to
from hopref.dispatch.domains import Array, Choice, Flag, Scalar, Seed, number
from hopref.errors import HoprefError

__all__ = ["Case", "cases", "case_named"]

SIZES = {"...": (3,), "d": 6, "e": 5, "n": 7, "l": 5, "s": 7, "v": 3, "r": 8, "m": 8, "k": 4,
         "h": 3, "a": 3, "p": 4, "o": 3, "steps": 3}        # of other axes: `arguments.AXIS`
BETA = 0.75


@dataclass(frozen=True)
class Case:
    """One call.  In ``stress`` cases code without stabilisation may overflow."""
    name: str
    args: tuple
    kwargs: dict
    stress: bool = False


@dataclass(frozen=True)
class Family:
    """A distribution: ``keys`` is applied to patterns and keys, ``both`` also to states."""
    name: str
    both: Callable = lambda x, it: x
    keys: Callable = lambda x, it: x
    sizes: dict = field(default_factory=dict)
    beta: float = BETA
    whole: bool = False
    stress_for_kernels: bool = False
    kernels: bool = True
    options: dict = field(default_factory=dict)


def unit(x, it):
    norm = np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return x / np.where(norm > 0, norm, 1)


def longer(factor):
    return lambda x, it: x * factor


def large(x, it):
    """Rows of norm about 1e8, or smaller if scores would overflow in the format."""
    return x * min(1e8, math.sqrt(it["largest"]) / 1e3)


def offset(x, it):
    return x + min(1e6, math.sqrt(it["largest"]) / 1e3)


def one_ulp_apart(x, it):
    """All rows equal the first, except that each differs from the next by one ulp."""
    rows = np.broadcast_to(x[..., :1, :], x.shape)
    return rows * (1 + it["ulp"] * np.arange(x.shape[-2])[:, None])


def equal(x, it):
    return np.broadcast_to(x[..., :1, :], x.shape).copy()


FAMILIES = [
    Family("gauss"),
    Family("unit norm, beta 25", both=unit, beta=25.0),
    Family("long keys", both=longer(2.0)),
    Family("beta 1e4", both=unit, beta=1e4, stress_for_kernels=True),
    Family("norms 1e8", both=large, stress_for_kernels=True),
    Family("offset 1e6", keys=offset, stress_for_kernels=True),
    Family("one ulp apart", keys=one_ulp_apart, beta=2.0),
    Family("equal patterns", keys=equal),
    Family("single pattern", sizes={"n": 1, "s": 1, "l": 1, "m": 1, "k": 2}),
    Family("d = 1", sizes={"d": 1, "r": 1, "v": 1}),
    Family("no batch", sizes={"...": ()}),
    Family("two leading axes", sizes={"...": (2, 3)}),
    Family("empty batch", sizes={"...": (0,)}),
    Family("many patterns", sizes={"n": 300, "s": 200, "d": 16, "...": (2,)}),
    Family("more queries than keys", sizes={"l": 8, "s": 5}),
    Family("six slow steps", both=longer(0.25), sizes={"steps": 6}),
    Family("integers", whole=True),
    Family("ties", whole=True),
]


def cases(op, dtype="float64", seed=0, given=None, sizes=None):
    """All distinct cases of an op.

    ``given`` are values of options that all cases have; ``sizes`` of axes are numbers, or other
    axes of the same size.
    """
    drawn, seen, given, sizes = [], set(), given or {}, sizes or {}
    for family in FAMILIES:
        if family.name != "gauss" and not touches(op, family):
            continue
        for label, options in variants(op, family):
            if not given.keys() & options.keys():
                chosen = replace(family, name=f"{family.name}{label}", options=options)
                drawn.append(draw(op, chosen, dtype, seed, given, sizes))
    return [case for case in drawn
            if not (case.name in seen or seen.add(case.name)) and accepts(op, case)]


def longest(rows):
    """The largest squared norm."""
    return float(np.max(np.sum(np.square(rows, dtype=float), axis=-1), initial=0))


def accepts(op, case):
    """Whether the op accepts this input, and its result is in range."""
    run = op.prepare if op.result is number else op
    try:
        run(*case.args, **case.kwargs)
    except HoprefError:
        return False
    return True


def case_named(op, name, dtype="float64", seed=0):
    """The case with the given name."""
    for case in cases(op, dtype, seed):
        if case.name == name:
            return case
    raise ValueError(f"{op.name} has no case {name!r}; it has "
                     + ", ".join(repr(c.name) for c in cases(op, dtype, seed)))


def touches(op, family):
    """Whether a family differs from the family "gauss" for this op."""
    if family.name.startswith("ties"):
        return "ties" in op.domains
    dims = {d for axes in op.arrays.values() for d in axes} | {"steps"} & set(op.domains)
    if family.sizes:
        return any(d in dims for d in family.sizes if d != "l" or "s" in dims)
    if family.beta != BETA and family.both is unit:
        return bool({"beta", "scale"} & set(op.domains))
    return True


def variants(op, family):
    """Options of the cases of a family: none, defaults only, and each other option separately."""
    yield "", {}
    if family.name == "ties":
        yield ", ties=plus", {"ties": "plus"}
    if family.name != "gauss":
        return
    yield ", defaults", {"defaults": True}
    for k, domain in op.domains.items():
        default = op.signature.parameters[k].default
        if isinstance(domain, Choice):
            for name in domain.names:
                if name not in (default, "raise"):
                    yield f", {k}={name}", {k: name}
        elif isinstance(domain, Flag):
            yield f", {k}={not default}", {k: not default}
        elif isinstance(domain, Scalar) and default in (0, None):
            yield f", {k}", {k: True}
        elif isinstance(domain, Array) and k in op.optional:
            yield f", {k}", {k: True}
            if domain.kind == "bool":
                yield f", {k} hides rows", {k: "rows"}
    if "causal" in op.domains:
        for length in (3, 7, 9):
            yield f", causal, {length} queries", {"causal": True, "l": length}
            yield f", causal from the start, {length} queries", \
                {"causal": True, "align": "start", "l": length}
        yield ", causal and masked", {"causal": True, "mask": True}
        yield ", mask and bias", {"mask": True, "bias": True}


def draw(op, family, dtype, seed, fixed=(), equal_sizes=()):
    """One case of a family."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{op.name}/{family.name}".encode())])
    names = {dim for dims in op.arrays.values() for dim in dims}
    chosen = {d: v for d, v in family.options.items() if d in SIZES}
    sizes = with_multiples({**SIZES, **family.sizes, **chosen}, names)
    for d in equal_sizes:
        size = equal_sizes[d]
        sizes[d] = sizes[size] if isinstance(size, str) else size
    ulp = 2.0**-7 if dtype == "bfloat16" else np.finfo(dtype).eps
    it = {"largest": largest(dtype), "ulp": ulp}
    given = {}
    for k, parameter in op.signature.parameters.items():
        domain, wanted = op.domains.get(k), family.options.get(k)
        if k in fixed:
            if k not in op.arrays:
                given[k] = fixed[k]
        elif k in op.arrays:
            if parameter.default is parameter.empty or wanted or needed(op, k, family):
                given[k] = array(op, k, sizes, family, rng, it, dtype, wanted)
        elif wanted is not None and not isinstance(domain, Scalar):
            given[k] = wanted
        elif isinstance(domain, Scalar) and set_here(k, parameter.default, family):
            given[k] = 3 if k in names else scalar(k, domain, family, sizes, rng, dtype)
        elif isinstance(domain, (Scalar, Seed)) and parameter.default is parameter.empty:
            given[k] = sizes.get(k, 6) if isinstance(domain, Scalar) else seed
    kinds = op.signature.parameters
    args = tuple(given.pop(k) for k in list(given) if kinds[k].kind is kinds[k].POSITIONAL_ONLY)
    kernel = bool({"omega", "omegas", "phi_q", "log_q"} & set(op.arrays))
    stress = kernel and family.stress_for_kernels or overreaches(op, args, given, it["largest"])
    return Case(family.name, args, given, stress=stress)


def overreaches(op, args, kwargs, largest):
    """Whether exp(|u|) exp(beta |x|^2/2), u = sqrt(beta) omega x, may overflow the format."""
    *vectors, omega = args
    if list(op.arrays)[len(vectors):len(args)] not in (["omega"], ["omegas"]):
        return False
    beta = kwargs.get("beta", kwargs.get("scale", 1.0))
    x, w = max(map(longest, vectors[:2])), longest(omega)
    u = math.sqrt(beta * x * w)
    return u + beta * x / 2 > math.log(largest)


def set_here(k, default, family):
    """Whether a number is passed: not if its default is neutral, unless the family requires it."""
    if "defaults" in family.options:
        return False
    return default not in (0, None) or k in family.options or \
        k in ("beta", "scale") and family.beta != BETA


def needed(op, k, family):
    """Whether an optional operand is passed: the threshold is, except with defaults or in ties."""
    return k == "b" and "defaults" not in family.options and not family.name.startswith("ties")


def scalar(k, domain, family, sizes, rng, dtype):
    if domain.kind is int:
        return sizes.get(k, 6)
    if k in ("beta", "scale"):
        return float(round_to(family.beta, dtype))
    if k == "theta":
        return -0.25
    part = float(round_to(rng.uniform(0.125, 0.5), dtype))
    return next(v for v in (part, -part, 1 + part, *typical(domain)) if domain.holds(v))


def array(op, k, sizes, family, rng, it, dtype, wanted):
    """The numbers of one array argument, in the format of the candidate."""
    shape, domain = shape_of(op.arrays[k], sizes), op.domains[k]
    if domain.kind == "integer":
        return rng.integers(0, sizes[domain.below], shape)
    if domain.kind == "bool":
        seen = rng.random(shape) < 0.7
        if wanted == "rows" and seen.size:
            seen[..., ::2, :] = False if seen.ndim > 1 else seen[..., ::2, :]
        return seen
    x = legal(domain, numbers(op, k, shape, family, rng, it))
    if k in ("phi_q", "phi_k", "z", "S") and "defaults" not in family.options:
        x = np.abs(x)       # features >= 0; of both signs in the plainest case
    return x if x.dtype == np.dtype("int64") else round_to(x, dtype)


def numbers(op, k, shape, family, rng, it):
    """Real numbers in the domain of the argument, in float64."""
    polar = {"states", "interaction"} & set(op.domains) and k in ("xi", "previous")
    if polar or op.arrays[k] in (("...", "d"), ("...", "e")) and "e" in op.arrays.get("W", ()):
        low = 0.0 if family.options.get("states") == "binary" else -1.0
        return np.where(rng.random(shape) < 0.5, low, 1.0)
    x = np.rint(2 * rng.standard_normal(shape)) if family.whole else rng.standard_normal(shape)
    name = family.name.partition(",")[0]
    if "activation" in op.domains and k in ("xi", "previous"):
        inside = np.tanh(x) if not family.whole else np.sign(x)
        return (inside + 1) / 2 if family.options.get("activation") == "sigmoid" else inside
    if op.arrays[k][-2:] == ("d", "d"):
        x = x + x.T if family.whole else (x + x.T) / 2
        return isolated(x) if name == "ties" else x
    if k in ("omega", "omegas", "b", "bias", "mask", "z", "S", "c", "sign_q", "sign_k", "V"):
        return np.sign(x) + (x == 0) if k.startswith("sign") else x
    if x.ndim == 0 or family.whole and "d" not in op.arrays[k]:
        return x
    if op.arrays[k][0] == "h":          # one matrix for each head, as layers are initialised
        return x if family.whole else x / math.sqrt(shape[-1])
    x = isolated(x) if name == "ties" else family.both(x, it)
    rows = op.arrays[k][-2:] in (("n", "d"), ("s", "d"), ("s", "r")) and x.ndim > 1
    return family.keys(x, it) if rows else x


def isolated(x):
    """The array with two sites without weights, whose fields are 0."""
    x[..., -2:] = 0
    if x.shape[0] == x.shape[1]:
        x[-2:, :] = 0
    return x

