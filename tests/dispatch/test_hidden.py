"""What a query cannot see has no effect on it, even if it is not finite.

Keys, values, biases and patterns that a mask, a causal mask, a bias of -inf or a support hides from
one query are set to NaN or an infinity, and the result of this query keeps its bits.
"""
import itertools

import numpy as np
import pytest

from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import use_backend
from hopref.errors import BackendError
from hopref.fast.cupy import FINITE, _projected
from tests.dispatch.calling import OPS, parts, run
from tests.doubles import cupy as device
from tests.fast.agreement import agrees_with

OF_KEYS = {"K", "V", "X", "Y", "P", "phi_k", "log_k", "sign_k", "bias", "z"}
MASKS = {name: next(k for k in op.arrays if op.domains[k].kind == "bool")
         for name, op in OPS.items() if name.partition(".")[0] not in ("gradients", "theory")
         and any(op.domains[k].kind == "bool" for k in op.arrays)
         and name.partition(".")[0] != "energy_transformer"}       # tokens move by what sees them


def axes_of(name):
    """The axes of keys and of queries, the latter None where a mask hides keys from all."""
    dims = OPS[name].arrays[MASKS[name]]
    return dims[-1], "..." if dims[-1] == "n" else "l" if "l" in dims[:-1] else None


def hidden_from(name, given, query, bias=True):
    """The keys that a query does not see; those that the bias hides only if it is counted."""
    seen, (_, queries) = given[MASKS[name]], axes_of(name)
    if given.get("causal"):
        seen = np.tril(seen, k=(seen.shape[1] - seen.shape[0]) * (given["align"] == "end"))
    if bias and "bias" in given:
        rows = given["bias"] > -np.inf
        seen = seen & (rows if rows.ndim == seen.ndim else rows.any(axis=0))
    return ~(seen if queries is None else seen[query])


def with_hidden(name, given, query, value):
    """The arguments with this value in what the query does not see."""
    (key, queries), changed = axes_of(name), {}
    for k in OF_KEYS & OPS[name].arrays.keys():
        dims = OPS[name].arrays[k]
        dims = dims if queries == "..." else dims[dims[:1] == ("...",):]
        if key in dims and k in given and np.ndim(given[k]):
            changed[k] = given[k].copy()
            view = np.moveaxis(changed[k], dims.index(key), -1)
            if queries in dims:
                view = np.moveaxis(view, dims.index(queries), 0)[query]
            view[..., hidden_from(name, given, query, k != "bias")] = value
    return given | changed


def of_query(name, results, query):
    """What belongs to a query; everything where keys are hidden from all."""
    _, queries = axes_of(name)
    for dims, y in zip(OPS[name].outputs, results, strict=True):
        if queries is None:
            yield y
        else:
            dims = dims if queries == "..." else dims[dims[:1] == ("...",):]
            yield np.take(y, query, axis=dims.index(queries))


def problem(name, **options):
    """Arguments with keys that are hidden from all queries, or from some."""
    rng, op = np.random.default_rng(0), OPS[name]
    sizes = {"...": 4, "l": 4, "s": 6, "n": 6, "r": 3, "h": 2} | dict.fromkeys("adempov", 2)
    given = {}
    for k, dims in op.arrays.items():
        if k not in op.optional or k in ("bias", MASKS[name]):
            own = [d for d in dims if d != "..." or axes_of(name)[1] == "..."]
            given[k] = np.abs(rng.standard_normal([sizes[d] for d in own]))
    mask = given[MASKS[name]]
    given[MASKS[name]] = (mask > 0.5) & (np.arange(mask.shape[-1]) != 2)
    if "bias" in given:
        given["bias"] = np.where(given["bias"] > 1.5, -np.inf, given["bias"])
    needed = {"softcap": 2.0, "k": 2}
    return given | {k: v for k, v in (needed | options).items() if k in op.signature.parameters}


@pytest.mark.parametrize("name", MASKS)
def test_hidden_entries_have_no_effect_even_if_they_are_not_finite(name):
    for causal, align in (False, "end"), (True, "end"), (True, "start"):
        given = problem(name, causal=causal, align=align, steps=2)
        clean = parts(run(OPS[name], given))
        for query, value in itertools.product(range(4), (np.nan, np.inf, -np.inf)):
            changed = with_hidden(name, given, query, value)
            dirty = parts(run(OPS[name], changed, nonfinite="propagate"))
            for a, b in zip(of_query(name, clean, query), of_query(name, dirty, query)):
                np.testing.assert_array_equal(a, b)
            if "causal" not in given:
                break


def with_all_hidden(name, given):
    """The arguments with NaN in the values that no query sees, which include the key 2."""
    changed = {k: given[k].copy() for k in ("V", "X") if k in given}
    for a in changed.values():
        a[2] = np.nan
    return given | changed


# -- gradients ------------------------------------------------------------------------------------

GRADIENTS = {name: next(k for k in op.arrays if op.domains[k].kind == "bool")
             for name, op in OPS.items() if name.startswith("gradients.")
             and any(op.domains[k].kind == "bool" for k in op.arrays)
             and not name.startswith("gradients.energy_transformer.")}  # hidden tokens see others
AXES = {"...": 2, "l": 4, "s": 6, "n": 6, "r": 3, "h": 2, "m": 3} | dict.fromkeys("adeopv", 2)
ONLY_KEYS = {"phi_k", "log_k", "sign_k", "K", "V"}      # of the arrays with the axis of the queries


def differentiated(name, **options):
    """Arguments in which the mask, or a bias of -inf, hides a key from every query."""
    rng, op = np.random.default_rng(0), OPS[name]
    given = {k: np.abs(rng.standard_normal([AXES[d] for d in dims])) for k, dims in
             op.arrays.items() if k not in op.optional or k in ("bias", "sign_k", GRADIENTS[name])}
    mask = given[GRADIENTS[name]]
    given[GRADIENTS[name]] = (mask > 0.25) & (np.arange(mask.shape[-1]) != 2)
    if "bias" in given:
        given["bias"][..., 1] = -np.inf
    needed = {"softcap": 2.0, "k": 2, "features": "positive"}
    return given | {k: v for k, v in (needed | options).items() if k in op.signature.parameters}


def hidden_from_all(name, given, dims):
    """Where an array with these axes belongs to a key that no query sees; None where to none."""
    key, seen = OPS[name].arrays[GRADIENTS[name]][-1], given[GRADIENTS[name]]
    if key not in dims[-2:]:
        return None
    if given.get("causal"):
        offset = (seen.shape[-1] - seen.shape[-2]) * (given["align"] == "end")
        seen = seen & np.tril(np.ones(seen.shape[-2:], bool), k=offset)
    if "h" in dims:
        seen = np.broadcast_to(seen[:, None], (seen.shape[0], AXES["h"], *seen.shape[1:]))
    if "bias" in given:
        own = given["bias"] > -np.inf
        seen = seen & own if own.ndim == seen.ndim else seen & np.any(own, axis=1)
    if dims[-1] == key and seen.ndim == len(dims):
        return ~seen
    if "l" != key and seen.ndim > 1 and "l" in OPS[name].arrays[GRADIENTS[name]]:
        seen = np.any(seen, axis=-2)
    seen = seen if dims[0] == "..." else np.any(seen, axis=0)
    return np.broadcast_to(~seen[..., None], [AXES[d] for d in dims])


def with_nothing_finite_hidden(name, given, value):
    """The arguments with this value in the keys, and entries, that no query sees."""
    changed, op = {}, OPS[name]
    for k in op.arrays.keys() & given.keys() - {GRADIENTS[name], "bias"}:
        where = hidden_from_all(name, given, op.arrays[k])
        if where is not None and ("s" in op.arrays[k] or "n" in op.arrays[k] or k in ONLY_KEYS):
            changed[k] = np.where(where, value, given[k])
    assert changed
    return given | changed


@pytest.mark.parametrize("name, backend", [
    pytest.param(name, backend, marks=[pytest.mark.slow] * (backend == "numba"))
    for name in GRADIENTS for backend in OPS[name].paths])
def test_hidden_keys_have_no_effect_on_gradients_and_have_none(name, backend):
    rule = OPS[name.removeprefix("gradients.")]
    order = [k for k in rule.signature.parameters if k in rule.arrays
             and rule.domains[k].kind == "real"]
    for causal, align in (False, "end"), (True, "start"):
        given = differentiated(name, causal=causal, align=align)
        with device.installed():
            place = device.asarray if backend == "cupy" else np.asarray
            results = []
            for value in (0.0, np.nan, np.inf):
                changed = with_nothing_finite_hidden(name, given, value)
                found = run(OPS[name], {k: place(v) if isinstance(v, np.ndarray) else v
                                        for k, v in changed.items()},
                            nonfinite="propagate", backend=backend)
                results.append([device.asnumpy(y) if backend == "cupy" else y
                                for y in parts(found)])
        for clean, *dirty in zip(*results, strict=True):
            assert np.all(np.isfinite(clean))
            for y in dirty:
                np.testing.assert_array_equal(y, clean)
        for k, dims, y in zip(order, OPS[name].outputs, results[1], strict=False):
            where = hidden_from_all(name, given, dims)
            if where is not None and k not in ("phi_q", "log_q", "sign_q", "Q"):
                assert not np.any(np.where(where, y, 0.0)), k
        if "causal" not in given:
            break


def test_a_key_that_the_last_query_alone_sees_is_not_hidden():
    given = differentiated("gradients.attention.softmax_attention", causal=True, align="end")
    given["mask"][...], given["bias"][...] = True, 0.0
    given["V"][..., -1, :] = np.nan
    dQ, *_ = run(OPS["gradients.attention.softmax_attention"], given, nonfinite="propagate")
    assert np.all(np.isnan(dQ[..., -1, :]))


def on(backend):
    return [name for name in MASKS if backend in OPS[name].paths and "maps" not in name]


@pytest.mark.slow
@pytest.mark.parametrize("name", on("numba"))
def test_hidden_values_have_no_effect_on_the_numba_path(name):
    clean = problem(name)
    dirty = with_all_hidden(name, clean)
    args, kwargs = ({k: v for k, v in clean.items() if (k in OPS[name].operands) is positional}
                    for positional in (True, False))
    correct = parts(expected(OPS[name], tuple(args.values()), kwargs, PROFILES["float64"]))
    got = parts(run(OPS[name], dirty, nonfinite="propagate", backend="numba"))
    for y, value in zip(got, correct, strict=True):
        agrees_with(np.asarray(y), value)


@pytest.mark.parametrize("name", on("cupy"))
def test_hidden_values_have_no_effect_on_a_device_or_are_refused(name, monkeypatch):
    """Features by products, since no kernel runs without its compiler."""
    monkeypatch.setattr(_projected, "WIDTHS", {4: (), 8: ()})
    clean = problem(name)
    dirty = with_all_hidden(name, clean)
    with device.installed():
        clean, dirty = ({k: device.asarray(v) if isinstance(v, np.ndarray) else v
                         for k, v in given.items()} for given in (clean, dirty))
        if name in FINITE:
            with pytest.raises(BackendError, match="hidden values have to be finite"):
                run(OPS[name], dirty, nonfinite="propagate", backend="cupy")
            with use_backend("cupy"):
                got = run(OPS[name], dirty, nonfinite="propagate")
            want = run(OPS[name], clean)
        else:
            got, want = (run(OPS[name], given, nonfinite="propagate", backend="cupy")
                         for given in (dirty, clean))
        for a, b in zip(parts(got), parts(want), strict=True):
            np.testing.assert_array_equal(device.asnumpy(a), device.asnumpy(b))
