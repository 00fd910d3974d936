"""Results have the declared shapes and dtype, no NaN from finite numbers, and share no memory."""
import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopref import attention, maps, modern
from hopref.check.cases.strategies import calls
from hopref.dispatch import operation
from hopref.errors import DomainError, HoprefError, RangeError, ResourceError
from tests.dispatch import calling
from tests.dispatch.calling import (
    OPS,
    WITH_ARRAYS,
    by_name,
    each_of,
    on_calls,
    parts,
    refused,
    run,
    same,
)
from tests.dispatch.layouts import LAYOUTS, SEQUENCES, reversed_
from tests.doubles import cupy as device
from tests.groups import each

every_op = each("name", OPS, share=4)
every_op_on_arrays = each("name", WITH_ARRAYS, share=4)


def sizes_of(op, given):
    """The size of each axis name, read from the arguments."""
    sizes = {k: v for k, v in given.items() if k in op.domains and isinstance(v, int)}
    for k, dims in op.arrays.items():
        if isinstance(given.get(k), np.ndarray):
            core = [d for d in dims if d != "..."]
            lead = given[k].ndim - len(core)
            sizes |= dict(zip(core, given[k].shape[lead:], strict=True))
            if dims[0] == "...":
                sizes["..."] = given[k].shape[:lead]
    return sizes


def has_shape(dims, shape, sizes):
    """Whether ``shape`` is what ``dims`` promise; a number before a name multiplies it."""
    lead = sizes.get("...", ()) if dims[:1] == ("...",) else ()
    core = dims[dims[:1] == ("...",):]
    if tuple(shape[:len(lead)]) != tuple(lead) or len(shape) != len(lead) + len(core):
        return False
    for dim, size in zip(core, shape[len(lead):], strict=True):
        if dim in sizes and sizes[dim] != size:
            return False
        if dim[0].isdigit() and size != int(dim[:-1]) * sizes[dim[-1]]:
            return False
    return True


def test_an_undeclared_shape_is_detected():
    sizes = {"...": (2,), "d": 3, "m": 4}
    assert has_shape(("...", "d"), (2, 3), sizes) and has_shape(("...", "2m"), (2, 8), sizes)
    for dims, shape in [(("...", "d"), (3,)), (("...", "d"), (2, 4)), (("...", "2m"), (2, 4)),
                        (("d", "d"), (3, 3, 1)), ((), (1,))]:
        assert not has_shape(dims, shape, sizes)


@every_op
def test_results_have_the_shapes_declared_and_are_new_arrays_of_float64(name):
    """No argument is modified or returned."""
    op = OPS[name]

    @calling.widely
    @given(calls(op))
    def judge(call):
        given = by_name(op, call)
        before = {k: v.copy() for k, v in given.items() if isinstance(v, np.ndarray)}
        results = parts(run(op, given))
        assert len(results) == len(op.outputs)
        for dims, y in zip(op.outputs, results, strict=True):
            assert isinstance(y, np.ndarray if np.ndim(y) else np.generic)
            assert y.dtype in (np.float64, np.int64, np.bool)
            assert has_shape(dims, y.shape, sizes_of(op, given)), (dims, y.shape)
            assert given.get("empty_row") == "nan" or not np.isnan(y).any()
            assert not any(np.shares_memory(y, given[k]) for k in before)
            assert y.ndim == 0 or y.flags.writeable
        for k, v in before.items():
            np.testing.assert_array_equal(given[k], v, strict=True)

    judge()


# ---- the range of float64 ------------------------------------------------------------------------

EXTREME = st.floats(-8, 8, width=32) | st.sampled_from(
    [s * v for s in (1, -1) for v in (5e-324, 1e-300, 1e16, 1e150, 1e200, 1.7e308)])


@every_op
def test_finite_arguments_give_numbers_or_an_error_and_no_warning(name):
    """However large or small they are; warnings are errors here."""
    op = OPS[name]

    @settings(max_examples=5)
    @given(calls(op, numbers=EXTREME))
    def judge(call):
        given = by_name(op, call)
        try:
            results = parts(run(op, given))
        except HoprefError:
            return
        assert given.get("empty_row") == "nan" or not any(np.isnan(y).any() for y in results)

    judge()


@pytest.fixture
def difference(monkeypatch):
    """An operation whose formula gives inf - inf where the squares overflow."""
    monkeypatch.setattr(operation, "OPS", {})

    @operation.op("(...,d)->(...,d)")
    def difference(x, /):
        return x * x - x * x
    return difference


def test_nan_from_finite_numbers_is_an_error_that_states_the_range(difference):
    assert difference([2.0]).tolist() == [0.0]
    refused(RangeError, difference, {"x": np.array([2.0, 1e200])}, "range of float64", "got NaN")
    refused(RangeError, difference, {"x": np.array([[1e200]])}, nonfinite="raise")
    assert np.isnan(difference([1e200], nonfinite="propagate")).all()
    assert np.isnan(difference.formula(np.array([1e200]))).all()
    with pytest.raises(OverflowError):
        difference([1e200])


def test_numbers_beyond_the_range_are_infinite_and_no_error(monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})
    square = operation.op("(...,d)->(...,d)")(lambda x, /: x * x)
    assert square([1e200, 2.0]).tolist() == [np.inf, 4.0]


def test_results_are_examined_on_the_host_only(difference):
    with pytest.raises(RangeError):
        difference(array_api_strict.asarray([1e200]))
    with device.installed():
        x = device.asarray([1e200])
        device.stats.reset()
        y = difference(x)
        assert device.stats.quiet and np.isnan(y.get()).all()


def test_memory_that_runs_out_in_a_formula_is_an_error_of_hopref(monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})

    def greedy(x, /):
        return np.empty(2**45)

    with pytest.raises(ResourceError, match="hopref.*greedy: .*; got Unable to allocate") as caught:
        operation.op("(...,d)->(...,d)")(greedy)([1.0])
    assert isinstance(caught.value.__cause__, MemoryError)


# ---- emptiness and masks ------------------------------------------------------------------------

def test_no_state_gives_no_result_and_no_axis_the_mean():
    X = np.array([[1.0, 2.0], [3.0, 6.0]])
    assert modern.update(np.zeros((0, 2)), X).shape == (0, 2)
    assert modern.energy(np.zeros((2, 0, 2)), X).shape == (2, 0)
    mean = attention.softmax_attention(np.zeros((1, 0)), np.zeros((2, 0)), X)
    np.testing.assert_array_equal(mean, [[2.0, 4.0]])


def test_a_row_without_visible_entries_has_the_documented_result():
    z, seen = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, True], [False, False]])
    assert maps.softmax(z, where=seen)[1].tolist() == [0.0, 0.0]
    assert np.isnan(maps.softmax(z, where=seen, empty_row="nan")[1]).all()
    assert maps.logsumexp([-np.inf, -np.inf]) == -np.inf
    refused(DomainError, maps.softmax, {"z": z, "where": seen, "empty_row": "raise"},
            "every row", "fully masked")
    Q, V = np.ones((2, 3)), np.ones((2, 1))
    for hidden in ({"mask": seen}, {"bias": np.where(seen, 0.0, -np.inf)}):
        assert attention.softmax_attention(Q, Q, V, **hidden).tolist() == [[1.0], [0.0]]
        refused(DomainError, attention.softmax_attention,
                {"Q": Q, "K": Q, "V": V, "empty_row": "raise", **hidden}, "fully masked")


@each("name", [n for n, op in OPS.items() if "empty_row" in op.domains])
def test_a_fully_masked_row_gives_exact_zeros(name):
    op = OPS[name]
    masked = [k for k in op.arrays if op.domains[k].kind == "bool"]
    states = {"S", "z"} if "S" in op.arrays else {"b_o"}        # b_o is added to any answer

    def judge(given):
        added = {"eps", "guard"}                                # to denominators
        given = {k: v for k, v in given.items() if k not in {"empty_row", *added, *states}}
        blind = given | {k: np.zeros_like(given[k]) for k in masked}
        assert not np.any(parts(run(op, blind))[0])
        if not name.startswith("gradients."):           # nothing flows back, whatever the answer
            assert np.isnan(parts(run(op, blind, **{"empty_row": "nan"}))[0]).all()

    if masked:
        on_calls(op, judge)


# ---- layout: bit for bit the result of a C copy -------------------------------------------------

@every_op_on_arrays
def test_layout_changes_no_bit(name):
    op = OPS[name]

    def judge(given):
        plain = run(op, given)
        for k in op.arrays:
            for how, change in LAYOUTS.items():
                if given[k].size == 0 and how in SEQUENCES:
                    continue                # an empty list has no inner axes
                same(plain, run(op, given | {k: change(given[k])}))
        everything = {k: reversed_(v) for k, v in given.items() if isinstance(v, np.ndarray)}
        same(plain, run(op, given | everything))

    on_calls(op, judge, empty=True)


@every_op_on_arrays
def test_memory_maps_and_broadcast_views_change_no_bit(name, tmp_path):
    op = OPS[name]

    def judge(given):
        for k in op.arrays:
            mapped = np.memmap(tmp_path / k, given[k].dtype, "w+", shape=given[k].shape)
            mapped[...] = given[k]
            mapped.flush()
            mapped = np.memmap(tmp_path / k, given[k].dtype, "r", shape=given[k].shape)
            same(run(op, given), run(op, given | {k: mapped}))
        views = {k: np.broadcast_to(given[k].flat[0], given[k].shape) for k in op.arrays}
        copies = {k: v.copy() for k, v in views.items()}
        try:
            want = run(op, given | copies)
        except DomainError:                 # equal entries are no legal call of every operation
            with pytest.raises(DomainError):
                run(op, given | views)
        else:
            same(want, run(op, given | views))

    on_calls(op, judge, examples=2)


@every_op_on_arrays
def test_one_array_may_be_passed_for_two_arguments(name):
    op = OPS[name]

    def judge(given):
        names = [k for k in op.arrays if isinstance(given[k], np.ndarray)]
        for a in names:
            for b in names:
                if a != b and given[a].shape == given[b].shape and op.domains[a] == op.domains[b] \
                        and op.arrays[a] == op.arrays[b]:
                    try:
                        alike = run(op, given | {b: given[a].copy()})
                    except DomainError:         # such values are no legal call
                        continue
                    same(alike, run(op, given | {b: given[a]}))

    on_calls(op, judge, examples=2)


# ---- dtypes: exact values, computed in float64 --------------------------------------------------

WHOLES = sorted(range(-8, 9), key=abs)
EIGHTHS = [k / 8 for k in sorted(range(-15, 16), key=abs)]  # exact in every format below, sums too


def small_formats():
    yield from (np.float32, np.float16)
    try:
        import ml_dtypes
    except ImportError:
        return
    yield ml_dtypes.bfloat16


def narrowed(op, given, dtype):
    return given | {k: given[k].astype(dtype) for k in op.arrays if given[k].dtype == np.float64}


@every_op_on_arrays
def test_small_floats_are_computed_in_float64_from_their_exact_values(name):
    op = OPS[name]

    def judge(given):
        plain = run(op, given)
        for dtype in small_formats():
            narrow = narrowed(op, given, dtype)
            assert all(np.array_equal(narrow[k].astype(float), given[k]) for k in op.arrays)
            same(plain, run(op, narrow))

    on_calls(op, judge, numbers=EIGHTHS)


@every_op_on_arrays
def test_whole_numbers_are_computed_in_float64_from_their_exact_values(name):
    op = OPS[name]

    def judge(given):
        whole = {k: np.where(np.isfinite(v), np.round(v), 0.0) for k, v in given.items()
                 if isinstance(v, np.ndarray) and v.dtype == np.float64}
        plain = run(op, given | whole)
        for dtype in (np.int64, np.int32, np.int16, np.int8, ">i4"):
            same(plain, run(op, narrowed(op, given | whole, dtype)))
        for k, v in whole.items():
            if (v >= 0).all():
                same(plain, run(op, given | whole | {k: v.astype(np.uint8)}))
        same(plain, run(op, given | {k: v.astype(int).tolist() for k, v in whole.items()}))

    on_calls(op, judge, numbers=WHOLES)


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(float).eps, reason="no longer double")
@every_op_on_arrays
def test_long_doubles_pass_through(name):
    op = OPS[name]

    def judge(given):
        for y in parts(run(op, narrowed(op, given, np.longdouble))):
            assert y.dtype in (np.longdouble, np.int64, np.bool)

    on_calls(op, judge)


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(float).eps, reason="no longer double")
def test_long_doubles_carry_their_digits():
    one = np.longdouble(1)
    mean = OPS["modern.update"]([0.0], np.array([[one], [one + one / 2**60]]))
    assert mean[0] - one == one / 2**61


# ---- values that are not finite -----------------------------------------------------------------

LEADING = [(name, k) for name, op in WITH_ARRAYS.items() for k, dims in op.arrays.items()
           if dims[0] == "..." and op.domains[k].kind == "real"]


@each_of(LEADING, examples=4, leading=st.just((3,)))
def test_propagated_nonfinite_values_affect_their_row_only(op, argument, given):
    rows = given[argument].ndim - len(op.arrays[argument]) + 1
    if rows != 1:
        return
    given = {k: v for k, v in given.items() if k != "empty_row"}
    plain = parts(run(op, given))
    for value in (np.nan, np.inf, -np.inf):
        bad = given[argument].copy()
        bad[1] = value
        ill = parts(run(op, given | {argument: bad}, nonfinite="propagate"))
        for dims, a, b in zip(op.outputs, plain, ill, strict=True):
            if dims[:1] == ("...",):
                np.testing.assert_array_equal(np.delete(a, 1, 0), np.delete(b, 1, 0))


@each("name", [n for n in OPS if n.endswith("update") and "gradients" not in n])
def test_a_nan_state_gives_nan(name):
    op = OPS[name]

    def judge(given):
        first = next(iter(op.arrays))
        if name.endswith("asynchronous_update") and given[first].shape[-1] == 1:
            return          # a single site has no field from other sites
        ill = run(op, given | {first: given[first] * np.nan}, nonfinite="propagate")
        assert np.isnan(parts(ill)[0]).any()

    on_calls(op, judge)
