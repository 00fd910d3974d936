"""Arrays that are refused, by kind, shape and value: every array argument of every operation."""
from functools import partial

import numpy as np
import pytest
import scipy.sparse

from hopref.dispatch.validation import NONEMPTY
from hopref.errors import DomainError, DTypeError, ShapeError
from tests.dispatch.calling import OPS, refused, run, those

every_array = partial(those, lambda domain: True)
every_real_array = partial(those, lambda domain: domain.kind == "real")

# ---- kinds --------------------------------------------------------------------------------------

ALWAYS_WRONG = {
    "complex": lambda a: a.astype(complex),
    "object": lambda a: a.astype(object),
    "<U": lambda a: a.astype(str),
    "|S": lambda a: a.astype("S32"),
    "datetime64": lambda a: np.zeros(a.shape, "datetime64[s]"),
    "timedelta64": lambda a: np.zeros(a.shape, "timedelta64[s]"),
    "'x'": lambda a: np.zeros(a.shape, [("x", float)]),
    "MaskedArray": lambda a: np.ma.masked_array(a),
}
NO_ARRAYS = [None, {"a": 1.0}, {1.0, 2.0}, "abc", b"abc", object(), 1j, ["a", "b"], [None, 1.0],
             slice(3), np.datetime64("2020-01-01"), iter([1.0]), len]
WRONG_KIND = {
    "real": {"bool": lambda a: a > 0},
    "bool": {"float64": lambda a: a.astype(float), "int64": lambda a: a.astype(int)},
    "integer": {"float64": lambda a: a.astype(float), "bool": lambda a: a > 0},
}


@every_array()
def test_the_wrong_kind_of_numbers_is_refused(op, argument, given):
    kind = op.domains[argument].kind
    a = given[argument]
    for named, wrong in (ALWAYS_WRONG | WRONG_KIND[kind]).items():
        refused(DTypeError, op, given | {argument: wrong(a)}, argument, named)
    if a.ndim == 2:
        refused(DTypeError, op, given | {argument: a.view(np.matrix)}, argument, "matrix")
        for form in (scipy.sparse.csr_array, scipy.sparse.csr_matrix, scipy.sparse.coo_array):
            wrong = form(a.astype(float))
            refused(DTypeError, op, given | {argument: wrong}, argument, form.__name__)


@every_array(examples=1)
def test_what_is_no_array_is_refused(op, argument, given):
    for wrong in NO_ARRAYS:
        refused(DTypeError, op, given | {argument: wrong}, argument)


@every_array(examples=1)
def test_tensors_are_refused_with_the_conversion_named(op, argument, given):
    torch = pytest.importorskip("torch")
    wrong = given | {argument: torch.from_numpy(given[argument].copy())}
    refused(DTypeError, op, wrong, argument, "torch.Tensor", "numpy.asarray")


# ---- shapes -------------------------------------------------------------------------------------

def axes(op, argument, a):
    """Pairs (axis, name) of the named axes of an argument, leading axes left out."""
    core = [dim for dim in op.arrays[argument] if dim != "..."]
    return [(a.ndim - len(core) + i, dim) for i, dim in enumerate(core)]


def shared(op, argument, dim):
    """Whether another axis of the call has the same name."""
    return sum(dims.count(dim) for dims in op.arrays.values()) > 1


def _in_rows(shape, core):
    """The shape with its last axes merged into as many as there may be."""
    kept = shape[:len(core) - 1]
    return (*kept, int(np.prod(shape[len(kept):])))


@every_array()
def test_missing_and_surplus_axes_are_refused(op, argument, given):
    dims = op.arrays[argument]
    core = [dim for dim in dims if dim != "..."]
    a = given[argument]
    few = np.zeros(a.shape[a.ndim - len(core) + 1:], a.dtype)
    if core:
        refused(ShapeError, op, given | {argument: few}, argument, str(few.shape))
    if dims[0] != "...":
        advice = f"reshape it to {_in_rows(a[None].shape, core)}" \
            if len(set(core)) == len(core) else "must have shape"
        refused(ShapeError, op, given | {argument: a[None]}, argument, str(a[None].shape), advice)
    elif shared(op, argument, "..."):
        refused(ShapeError, op, given | {argument: np.stack([a, a])}, argument,
                "leading axes", str((2, *a.shape[:a.ndim - len(core)])))
    if core or a.ndim:
        words = (argument, "()") if core else ("leading axes", "()")
        refused(ShapeError, op, given | {argument: np.zeros((), a.dtype)}, *words)


@every_array()
def test_sizes_that_disagree_are_refused(op, argument, given):
    a = given[argument]
    for axis, dim in axes(op, argument, a):
        if shared(op, argument, dim):
            longer = np.concatenate([a, np.take(a, [0], axis=axis)], axis=axis)
            refused(ShapeError, op, given | {argument: longer}, argument, dim,
                    f"{a.shape[axis]}", f"{longer.shape[axis]}")


@every_array(examples=1)
def test_sums_over_nothing_are_refused(op, argument, given):
    a = given[argument]
    for _, dim in axes(op, argument, a):
        if dim in NONEMPTY:
            others = {k: np.take(v, [], axis=i) for k, v in given.items()
                      if isinstance(v, np.ndarray) for i, d in axes(op, k, v) if d == dim}
            refused(ShapeError, op, given | others, dim, "at least 1")


@every_array(examples=1)
def test_ragged_sequences_are_refused(op, argument, given):
    one = True if op.domains[argument].kind == "bool" else 1
    for ragged in ([[one], [one, one]], [[one, one], one], [[[one]], [[one, one]]]):
        refused(ShapeError, op, given | {argument: ragged}, argument, "ragged")


# ---- values -------------------------------------------------------------------------------------

def place(a, i):
    """Entry number i of an array, as an index."""
    return np.unravel_index(i, a.shape) if a.ndim else ()


def entry(argument, at):
    return f"got {argument}[{', '.join(map(str, at))}] = " if at else f"got {argument} = "


@every_real_array()
def test_values_outside_the_domain_are_named_with_their_first_index(op, argument, given):
    domain = op.domains[argument]
    wrong = [v for v in (np.nan, np.inf, -np.inf, -1.0, 0.5)
             if not np.all(domain.holds(np, np.asarray(v)))]
    assert wrong
    for value in wrong:
        a = given[argument].copy()
        a.flat[a.size // 2:] = value
        at = place(a, a.size // 2)
        refused(DomainError, op, given | {argument: a}, domain.description, entry(argument, at))
        refused(DomainError, op, given | {argument: a}, argument, nonfinite="raise")


@those(lambda domain: domain.structural)
def test_structure_is_required_by_default(op, argument, given):
    W = given[argument].copy()
    if W.shape[0] > 1:
        W[0, 1] = W[1, 0] + 1.0
        refused(DomainError, op, given | {argument: W}, "symmetric", entry(argument, (0, 1)))
        refused(DomainError, op, given | {argument: W}, "symmetric", check=True)
        run(op, given | {argument: W}, check=False)
    W = given[argument].copy()
    W.flat[0] = np.nan
    refused(DomainError, op, given | {argument: W}, "finite", check=False)


def test_rounding_is_no_asymmetry():
    """d eps max|W| of asymmetry passes, a little more does not."""
    energy, xi = OPS["classical.energy"], np.ones(4)
    W = np.full((4, 4), 3.0)
    for slack, passes in ((4 * 3.0 * np.finfo(float).eps, True), (1e-14, False)):
        tilted = W.copy()
        tilted[0, 3] += slack
        if passes:
            energy(xi, tilted)
        else:
            refused(DomainError, energy, {"xi": xi, "W": tilted}, "symmetric")


@those(lambda domain: domain.kind == "integer")
def test_indices_are_checked_before_anything_is_indexed(op, argument, given):
    domain = op.domains[argument]
    size = next(v.shape[i] for k, v in given.items() if isinstance(v, np.ndarray)
                for i, dim in axes(op, k, v) if dim == domain.below)
    for wrong in (-1, size, 2**62, np.iinfo(np.int64).min):
        a = given[argument].copy()
        a[-1] = wrong
        for how in (None, "raise", "propagate"):
            refused(DomainError, op, given | {argument: a}, argument, str(wrong), nonfinite=how)


@every_real_array(examples=1)
def test_integers_are_exact_or_refused(op, argument, given):
    for wrong in (2**53 + 1, -2**53 - 1, 2**63 - 1, 2**64 - 1):
        dtype = np.uint64 if wrong >= 2**63 else np.int64
        a = np.zeros(given[argument].shape, dtype)
        a.flat[-1] = wrong
        at = place(a, a.size - 1)
        refused(DomainError, op, given | {argument: a}, entry(argument, at) + str(wrong))


def test_large_integers_that_float64_holds_are_taken():
    for whole in (2**53, 2**60, -2**63):
        mean = OPS["modern.update"]([0], np.array([[whole]], np.int64))
        assert mean.tolist() == [float(whole)]
    assert OPS["modern.update"]([0], np.array([[2**63]], np.uint64)).tolist() == [2.0**63]


@pytest.mark.parametrize("argument, power", [("xi", 40), ("W", 960), ("b", 960)])
def test_a_limit_of_size_is_exact(argument, power):
    op, given = OPS["classical.update"], {"xi": np.ones(1), "W": np.ones((1, 1)), "b": np.ones(1)}
    for size in (2.0**power, -2.0**power):
        run(op, given | {argument: given[argument] * np.nextafter(size, 0.0)}, ties="plus")
        refused(DomainError, op, given | {argument: given[argument] * size},
                f"{argument} must be finite and below 2^{power}", ties="plus")


# ---- optional arrays that are left out ----------------------------------------------------------

def test_a_number_stands_for_an_absent_array_only_if_it_is_the_neutral_one():
    field, attend = OPS["classical.field"], OPS["attention.softmax_attention"]
    W, Q = np.eye(2), np.ones((2, 2))
    for nothing in (0, 0.0, -0.0, np.float64(0.0)):
        assert field([1.0, 2.0], W, nothing).tolist() == [1.0, 2.0]
        assert attend(Q, Q, Q, bias=nothing).tolist() == Q.tolist()
    for nothing in (True, np.True_):
        assert attend(Q, Q, Q, mask=nothing).tolist() == Q.tolist()
    for something in (1, 1e-300, np.float64(1.0), np.asarray(0.0)):
        refused(ShapeError, field, {"xi": np.ones(2), "W": W, "b": something}, "b must have shape")
    for wrong in (False, True):
        refused(DTypeError, field, {"xi": np.ones(2), "W": W, "b": wrong}, "got bool")
    refused(ShapeError, attend, {"Q": Q, "K": Q, "V": Q, "mask": False}, "mask must have shape")
    refused(DTypeError, attend, {"Q": Q, "K": Q, "V": Q, "mask": 1}, "mask must be boolean")


def test_a_size_that_is_no_multiple_is_named_with_its_argument():
    given = {"g": np.ones(3), "x": np.ones(2), "omega": np.ones((2, 2))}
    refused(ShapeError, OPS["gradients.features.hyperbolic"], given,
            "2m must be 4; got g of shape (3,)")
