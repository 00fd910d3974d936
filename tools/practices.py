"""Compare hopref with tolerances in use, on the same wrong and honest programs; print Markdown.

    python -m tools.practices > table.md

Each practice judges one result on one random Gaussian input with default options, as such tests do.
The sources of the practices are listed in docs/judging_practices.md.
"""
import datetime
import platform

import numpy as np

import hopref
from hopref.check import check
from hopref.check.engine import judge
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.adapters import bound
from hopref.check.tolerance.arithmetic import round_to
from hopref.check.tolerance.expected import truth
from hopref.dispatch.operation import load as load_ops
from tests.check import cheats, honest
from tests.check.honest_runs import judgements

FORMATS = ("float64", "float32", "float16", "bfloat16")
SIZE, BATCH, SEED = 64, 2, 0
OURS = "hopref check"
REQUIRED = {"k": 4, "width": 8, "order": np.arange(SIZE), "softcap": 30.0}
TORCH = {"float64": (1e-7, 1e-7), "float32": (1.3e-6, 1e-5), "float16": (1e-3, 1e-5),
         "bfloat16": (1.6e-2, 1e-5)}            # rtol, atol


def close(y, right, rtol, atol):
    return bool(np.all((np.abs(y - right) <= atol + rtol * np.abs(right)) | (y == right)))


def largest(x):
    return float(np.max(np.abs(x), initial=0))


def rms_ratio(y, right):
    return np.sqrt(np.mean((y - right) ** 2)) / (np.sqrt(np.mean(right**2)) + 1e-8)


def cosine(y, right):
    return np.sum(y * right) / (np.linalg.norm(y) * np.linalg.norm(right))


# name -> whether the result y is accepted; ``eager`` is that of a trusted program in the format
PRACTICES = {
    "torch.testing.assert_close, defaults": lambda y, right, eager, dtype:
        close(y, right, *TORCH[dtype]),
    "at most twice the error of an eager run": lambda y, right, eager, dtype:
        largest(y - right) <= 2 * largest(eager - right),
    "atol = rtol = 1e-2": lambda y, right, eager, dtype: close(y, right, 1e-2, 1e-2),
    "RMS of the error below 0.005 of the RMS": lambda y, right, eager, dtype:
        largest(y - right) <= 1e-6 or rms_ratio(y, right) < 0.005,
    "NMSE at most 5e-4": lambda y, right, eager, dtype:
        np.mean((y - right) ** 2) <= 5e-4 * np.mean(right**2),
    "cosine similarity above 0.999": lambda y, right, eager, dtype: cosine(y, right) > 0.999,
    "numpy.allclose, defaults": lambda y, right, eager, dtype: np.allclose(y, right),
}


def gaussian(op, dtype):
    """A random Gaussian input in the domain of the operation, without options."""
    rng, args, kwargs = np.random.default_rng(SEED), [], {}
    for k, p in op.signature.parameters.items():
        if p.default is not p.empty:
            continue
        dims = op.arrays.get(k)
        if dims is None or op.domains[k].kind == "integer":
            x = REQUIRED[k]
        else:
            shape = [BATCH if dim == "..." else SIZE for dim in dims]
            x = round_to(valid(op, k, rng.standard_normal(shape)), dtype)
        if p.kind is p.POSITIONAL_ONLY:
            args.append(x)
        else:
            kwargs[k] = x
    return args, kwargs


def valid(op, k, x):
    if k.startswith("phi") or k == "p":
        return np.abs(x)
    if k == "xi" and {"states", "interaction"} & set(op.domains) or op.name == "classical.energy":
        x = np.sign(x) if k == "xi" else x
    if k == "xi" and "activation" in op.domains:
        return np.tanh(x)
    return (x + x.T) / 2 / np.sqrt(SIZE) if k == "W" else x


def first(y):
    return np.asarray(y[0] if isinstance(y, tuple) else y).astype(float)


def eager_run(op, args, kwargs, dtype):
    """The first honest program in the format, or the formula in double precision."""
    for function in honest.candidates(op.name, dtype).values():
        try:
            return first(bound(function, op.name)(*args, **kwargs))
        except NotOffered:
            continue
    return first(op.formula(*args, **kwargs))


def verdicts(op, function, dtype):
    """{practice: whether it accepts the function}; None where the function has no such call."""
    args, kwargs = gaussian(op, dtype)
    try:
        y = bound(function, op.name)(*[np.array(a) for a in args], **kwargs)
    except NotOffered:
        return None
    return judged(op, args, kwargs, y, dtype)


def judged(op, args, kwargs, y, dtype):
    """{practice: whether it accepts the result}, which is None after an error."""
    if y is None:
        return dict.fromkeys(PRACTICES, False)
    y, right = first(y), first(truth(op, args, kwargs))
    eager = eager_run(op, args, kwargs, dtype)
    return {name: y.shape == right.shape and bool(accepts(y, right, eager, dtype))
            for name, accepts in PRACTICES.items()}


def wrong_programs():
    """For each cheat that is a function of arrays two lines {practice: accepted}.

    The first judges it on a Gaussian input, the second on the input on which it is known to be
    wrong.
    """
    judge.diagnose = lambda trial: None         # names of bugs do not change a verdict
    for cheat in cheats.load():
        if cheat.shows is None:
            op, ours = load_ops()[cheat.op], check(cheat.make(), cheat.op, dtype=cheat.dtype)
            yield ({**verdicts(op, cheat.make(), cheat.dtype), OURS: ours.conforms},
                   {**judged(op, *cheat.replayed(), cheat.dtype), OURS: ours.conforms})


def honest_programs(dtype):
    """Lines {practice: accepted} of every honest program with every order of summation."""
    for op in honest.load():
        for order in honest.SUMS:
            refused = {what.split(",")[0].split(" ")[1]
                       for what, error in judgements(op, dtype, SEED, (order,)) if not error <= 1}
            for name, function in honest.candidates(op, dtype, order).items():
                found = verdicts(load_ops()[op], function, dtype)
                if found is not None:
                    yield {**found, OURS: name not in refused}


def main():
    with np.errstate(all="ignore"):
        wrong = list(wrong_programs())
        right = {dtype: list(honest_programs(dtype)) for dtype in FORMATS}
    print(f"{len(wrong)} wrong programs and {sum(map(len, right.values()))} honest ones; "
          f"hopref {hopref.__version__}, NumPy {np.__version__}, Python "
          f"{platform.python_version()}, {datetime.date.today()}.\n")
    print("| practice | wrong programs accepted | on the input that shows the error | honest "
          "programs refused: " + " | ".join(FORMATS) + " |\n|---|" + "---|" * (2 + len(FORMATS)))
    for name in (*PRACTICES, OURS):
        refused = (f"{sum(not line[name] for line in right[dtype])} of {len(right[dtype])}"
                   for dtype in FORMATS)
        accepted = " | ".join(str(sum(pair[i][name] for pair in wrong)) for i in (0, 1))
        print(f"| {name} | {accepted} | " + " | ".join(refused) + " |")


if __name__ == "__main__":
    main()
