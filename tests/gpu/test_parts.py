"""Parts on CuPy arrays: chunks from host memory, several devices, and the path in tiles."""
import numpy as np
import pytest

from hopref import attention, maps, modern, parts
from hopref.check.cases.generator import cases
from hopref.check.tolerance.arithmetic import profile_of
from hopref.check.tolerance.expected import expected
from hopref.check.tolerance.toleranced import Toleranced
from hopref.errors import BackendError, CallError, DomainError, ShapeError
from hopref.fast.cupy import PARTS
from hopref.parts import KINDS, uploading
from tests.doubles import cupy as double
from tests.doubles import streams
from tests.fast.agreement import agrees_with
from tests.gpu.comparison import draw, in_steps
from tests.parts.chunked import OPS, in_chunks

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
pytestmark = pytest.mark.usefixtures("small_blocks")


def on_device(v):
    return double.asarray(v) if isinstance(v, np.ndarray) else v


def retrieved(xi, X, size=10, devices=None, backend="cupy"):
    chunks = parts.upload(parts.chunks_of(X, size), devices=devices)
    return parts.stream(modern.update, xi, chunks, beta=0.5, backend=backend)


# ---- the path in tiles --------------------------------------------------------------------------

def streamed(op, case, cuts):
    args, kwargs = in_chunks(op, (case.args, case.kwargs), cuts, on_device)
    return parts.stream(op, *map(on_device, args), backend="cupy",
                        **{k: on_device(v) for k, v in kwargs.items()})


@in_steps(16, 4)
@precisions
@pytest.mark.parametrize("name", PARTS)
def test_hard_cases_agree_where_each_merge_may_cost_the_tolerance_once(name, dtype, step):
    op, cuts, tried = OPS[name], [1, 1, 5], 0
    for case in list(cases(op, dtype))[::step]:
        if case.kwargs.get("causal"):
            continue                                    # refused in chunks
        double.stats.reset()
        results = streamed(op, case, cuts)
        assert double.stats.synchronised == double.stats.to_host == 0, case.name
        correct = expected(op, case.args, case.kwargs, profile_of(dtype))
        several = isinstance(correct, tuple)
        for y, right in zip(results if several else [results], correct if several else [correct],
                            strict=True):
            assert y.dtype == dtype
            agrees_with(double.asnumpy(y), Toleranced(
                right.value, (len(cuts) + 2) * right.radius, right.profile))
        tried += 1
    assert tried > 20 / step


@precisions
def test_a_part_takes_the_memory_of_a_tile_and_of_its_state(dtype):
    arrays = [double.asarray(a) for a in draw((20, 6), (640, 6), dtype=dtype)]
    double.stats.reset()
    part = parts.from_chunk(modern.update, *arrays, beta=0.5, backend="cupy")
    assert double.stats.quiet and part.backend == "cupy"
    assert double.stats.grown <= np.dtype(dtype).itemsize * 20 * (32 + 2 * 6 + 8)


def test_backends_of_parts_are_those_that_exist_and_are_not_mixed():
    xi, X = (double.asarray(a) for a in draw((2, 3), (9, 3)))
    with pytest.raises(BackendError, match="must be one of formula, cupy for parts of modern.upda"):
        parts.from_chunk(modern.update, xi, X, backend="numba")
    with pytest.raises(BackendError, match="must be one of formula for parts of maps.logsumexp"):
        parts.stream(maps.logsumexp, [xi], backend="cupy")
    a, b = (parts.from_chunk(modern.update, xi, X, backend=path) for path in ("cupy", "formula"))
    with pytest.raises(CallError, match="parts of one backend; got cupy and formula"):
        parts.merge(a, b)


def test_causal_attention_is_refused_where_keys_come_in_chunks():
    Q, K, V = (double.asarray(a) for a in draw((2, 3), (9, 3), (9, 2)))
    with pytest.raises(DomainError, match="causal must be False where keys come in chunks"):
        parts.stream(attention.softmax_attention, Q, [K], [V], causal=True, backend="cupy")


# ---- chunks from host memory --------------------------------------------------------------------

@pytest.mark.parametrize("backend", ["formula", "cupy"])
def test_a_stream_has_the_bits_of_chunks_that_are_on_the_device(backend, tmp_path):
    """From a memory map, with a last chunk that is shorter."""
    xi, X = draw((3, 4), (95, 4))
    np.save(tmp_path / "X.npy", X)
    states, stored = double.asarray(xi), np.load(tmp_path / "X.npy", mmap_mode="r")
    there = parts.stream(modern.update, states, map(double.asarray, parts.chunks_of(X, 10)),
                         beta=0.5, backend=backend)
    got = retrieved(states, stored, backend=backend)
    assert np.array_equal(got.get(), there.get()) and not streams.faults


@pytest.mark.parametrize("name", [names[0] for names in KINDS.values()])
def test_every_kind_of_parts_takes_uploaded_chunks(name):
    """No state keeps what a later chunk overwrites, and no use of memory is without an order."""
    op = OPS[name]
    case = next(c for c in cases(op, "float64") if not c.kwargs.get("causal")
                and c.kwargs.get("alpha", 2) == 2)
    uploaded = in_chunks(op, (case.args, case.kwargs), [1, 3], on_device)
    plain = in_chunks(op, (case.args, case.kwargs), [1, 3])

    def in_two(chunks, whole):
        return parts.upload(chunks) if isinstance(chunks, list) else whole
    args = [in_two(*pair) for pair in zip(plain[0], uploaded[0])]
    kwargs = {k: in_two(plain[1][k], v) for k, v in uploaded[1].items()}
    got = parts.stream(op, *args, **kwargs)
    there = parts.stream(op, *uploaded[0], **uploaded[1])
    for y, want in zip(*(r if isinstance(r, tuple) else (r,) for r in (got, there))):
        assert np.array_equal(y.get(), want.get(), equal_nan=True)
    assert not streams.faults


def test_chunks_of_any_shape_dtype_and_layout_arrive_and_stay_valid():
    rng = np.random.default_rng(0)
    chunks = [rng.random((3, 4)), rng.random((2, 9, 5)).astype("f4"), rng.random((4, 3)).T,
              np.zeros((0, 4)), np.arange(7) > 3, [1, 2], rng.random((2, 8))[:, ::2]]
    for arrived in list(parts.upload(chunks)), list(parts.upload(iter(chunks), devices=[0])):
        for chunk, array in zip(chunks, arrived, strict=True):
            assert array.dtype == np.asarray(chunk).dtype and np.array_equal(array.get(), chunk)
    assert not streams.faults


def test_the_host_waits_for_each_copy_but_the_last_but_one_and_the_data_cross_once():
    X, = draw((95, 4))
    for _ in parts.upload(parts.chunks_of(X, 10)):
        pass
    assert double.stats.synchronised == 8 + 1 and double.stats.to_device == X.nbytes
    assert double.stats.to_host == 0


def test_a_store_of_any_length_takes_the_memory_of_three_chunks_and_a_tile():
    grown = []
    for chunks in 4, 40:
        states, X = double.asarray(draw((4, 16))[0]), draw((64 * chunks, 16))[0]
        double.stats.reset()
        retrieved(states, X, size=64)
        grown.append(double.stats.grown)
    state = 4 * (16 + 2)
    assert grown[1] - grown[0] <= 4 * 4 * state                 # the tree has four more levels
    assert grown[0] <= 4 * (3 * 64 * 16 + 4 * (32 + 2 * 16 + 8) + 4 * state)


# ---- overlap, from the log of the streams -------------------------------------------------------

def overlaps():
    """For each chunk but the first, whether its copy may run during the work on the chunk before;
    and whether the host may fill its buffer during the copy of that."""
    copies = [e for e in streams.log if e.what == "a copy to the device"]
    fills = [e for e in streams.log if e.what == "filling a buffer"]
    work = [[e for e in streams.log if e not in copies and e.read & c.written] for c in copies]
    assert len(copies) == len(fills) == 9 and all(work)
    copied = [all(streams.concurrent(c, w) for w in before) for c, before in zip(copies[1:], work)]
    filled = [streams.concurrent(f, c) for f, c in zip(fills[1:], copies)]
    return all(copied), all(filled)


def test_a_chunk_is_copied_during_the_work_on_the_one_before_it():
    xi, X = draw((3, 4), (90, 4))
    retrieved(double.asarray(xi), X)
    assert overlaps() == (True, True) and not streams.faults


def test_a_blocking_stream_would_not_overlap(monkeypatch):
    monkeypatch.setattr(double.cuda, "Stream", lambda non_blocking: streams.Stream())
    xi, X = draw((3, 4), (90, 4))
    retrieved(double.asarray(xi), X)
    assert overlaps()[0] is False


def test_one_buffer_would_make_the_host_wait_for_each_copy(monkeypatch):
    queues = []

    class OneBuffer(uploading._Queue):
        def __init__(self, *args):
            super().__init__(*args)
            self.buffers.pop()
            queues.append(self)
    monkeypatch.setattr(uploading, "_Queue", OneBuffer)
    xi, X = draw((3, 4), (90, 4))
    retrieved(double.asarray(xi), X)
    assert overlaps() == (True, False) and len(queues) == 1


# ---- every event is needed ----------------------------------------------------------------------

def calls_left_out(monkeypatch, run):
    """{(method, number of the call): faults} of runs in each of which one call does nothing."""
    found = {}
    for owner, method in ((streams.Event, "record"), (streams.Stream, "wait_event"),
                          (streams.Event, "synchronize")):
        count, number = 1, 0
        while number < count:
            original, done = getattr(owner, method), []

            def call(self, *args, number=number, done=done, original=original):
                done.append(self)
                return None if len(done) - 1 == number else original(self, *args)
            with monkeypatch.context() as patch:
                patch.setattr(owner, method, call)
                run()
            count = len(done)
            found[method, number] = list(streams.faults)
            number += 1
    return found


def test_each_event_that_is_left_out_is_found(monkeypatch):
    xi, X = draw((3, 4), (50, 4))

    def run():
        with double.installed() as cupy:
            retrieved(cupy.asarray(xi), X)
    found = calls_left_out(monkeypatch, run)
    assert len(found) == 5 * (2 + 2) + 3 + 1
    for call, faults in found.items():
        assert faults, call
        if call[0] == "synchronize":
            assert faults[0].startswith(("filling a buffer writes on the host what a copy to the",
                                         "memory of the host is freed while a copy to the device"))


def test_a_stream_that_is_broken_off_waits_for_its_copies(monkeypatch):
    X, = draw((50, 4))

    def run():
        with double.installed():
            chunks = parts.upload(parts.chunks_of(X, 10))
            next(chunks)
            chunks.close()
            del chunks
    run()
    assert not streams.faults
    found = calls_left_out(monkeypatch, run)
    assert found and all(faults for faults in found.values())


# ---- several devices ----------------------------------------------------------------------------

@pytest.mark.parametrize("backend", ["formula", "cupy"])
def test_the_bits_do_not_depend_on_the_number_of_devices(backend):
    xi, X = draw((3, 4), (95, 4))
    found = []
    for devices in [0], [0, 1], [2, 0, 1], [1]:
        with double.installed(3) as cupy:
            new = retrieved(cupy.asarray(xi), X, devices=devices, backend=backend)
            assert new.device.id == 0 and not streams.faults
            assert double.stats.to_host == 0
            found.append(new.get())
    assert all(np.array_equal(found[0], y) for y in found)


@pytest.mark.parametrize("name", ["modern.energy", "attention.log_linear_attention",
                                  "attention.log_causal_linear_attention",
                                  "storage.hebbian", "storage.projection",
                                  "structured.top_k_update"])
def test_chunks_that_are_on_several_devices_are_merged_on_the_current_one(name):
    """With nested states, and with no argument beside the chunks."""
    op = OPS[name]
    case = next(c for c in cases(op, "float64") if c.kwargs.get("alpha", 2) != 1)
    with double.installed(3) as cupy:
        places = [cupy.cuda.Device(n) for n in (1, 0, 2)]

        def spread(v):
            if not isinstance(v, list):
                return on_device(v)
            return [there(device, a) for device, a in zip(places, v)]

        def there(device, a):
            with device:
                return cupy.asarray(a)
        plain = in_chunks(op, (case.args, case.kwargs), [1, 3])
        here = in_chunks(op, (case.args, case.kwargs), [1, 3], on_device)
        got = parts.stream(op, *map(spread, plain[0]),
                           **{k: spread(v) for k, v in plain[1].items()})
        want = parts.stream(op, *map(on_device, here[0]),
                            **{k: on_device(v) for k, v in here[1].items()})
        for y, right in zip(*(r if isinstance(r, tuple) else (r,) for r in (got, want))):
            assert y.device.id == 0 and np.array_equal(y.get(), right.get())
        assert not streams.faults


def test_each_event_between_devices_that_is_left_out_is_found(monkeypatch):
    """The states are not contiguous, so that a copy of them is freed after the copy of that."""
    xi, X = draw((3, 8), (40, 4))

    def run():
        with double.installed(2) as cupy:
            retrieved(cupy.asarray(xi)[:, ::2], X, devices=[1, 0])
    run()
    assert not streams.faults
    found = calls_left_out(monkeypatch, run)
    assert all(faults for faults in found.values()), [k for k, v in found.items() if not v]


def test_other_arguments_are_copied_to_a_device_once():
    xi, X = draw((3, 4), (80, 4))
    with double.installed(2) as cupy:
        states = cupy.asarray(xi)
        retrieved(states, X, devices=[1])
        copies = [e for e in streams.log if e.what == "a copy" and e.written]
        # the states; and of each of eight parts three arrays, of the first its states too
        assert len(copies) == 1 + 8 * 3 + 1


def test_arrays_of_a_chunk_on_two_devices_are_refused():
    with double.installed(2) as cupy:
        Q, K, V = (cupy.asarray(a) for a in draw((2, 3), (9, 3), (9, 2)))
        with cupy.cuda.Device(1):
            there = V.copy()
        with pytest.raises(CallError, match="the arrays of a chunk must be on one device"):
            parts.stream(attention.softmax_attention, Q, [K], [there])


# ---- refusals -----------------------------------------------------------------------------------

def test_what_cannot_be_uploaded_is_refused():
    with pytest.raises(CallError, match="chunks must be an iterable; got int"):
        parts.upload(3)
    with pytest.raises(CallError, match="chunks must be in host memory; got cupy.ndarray"):
        next(parts.upload([double.ones((3, 2))]))
    for devices in [], [0, 0], [1], [-1]:
        with pytest.raises(DomainError, match="devices must be different numbers below 1"):
            parts.upload([], devices=devices)


def test_an_error_in_a_chunk_states_its_number():
    chunks = parts.upload([np.ones((4, 2)), np.ones((4, 3)), np.ones((4, 2))])
    with pytest.raises(ShapeError, match="at chunk 1"):
        parts.stream(modern.update, double.ones((2,)), chunks)
    chunks.close()
    assert not streams.faults
