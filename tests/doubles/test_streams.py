"""The substitute for CuPy finds uses of memory that no event orders, whatever they take."""
import numpy as np
import pytest

from tests.doubles import cupy as double
from tests.doubles import streams


@pytest.fixture(autouse=True)
def cupy():
    with double.installed() as cupy:
        yield cupy


@pytest.fixture
def copying(cupy):
    return cupy.cuda.Stream(non_blocking=True)


def staged(value=1.0):
    buffer = streams.empty_pinned((3,))
    buffer[...] = value
    return buffer


def ordered(cupy, before, after):
    event = cupy.cuda.Event()
    event.record(before)
    after.wait_event(event)


def test_a_copy_must_wait_for_the_allocation_and_its_reader_for_the_copy(cupy, copying):
    here, array, buffer = cupy.cuda.get_current_stream(), cupy.empty((3,)), staged()
    ordered(cupy, here, copying)
    array.set(buffer, copying)
    ordered(cupy, copying, here)
    assert (array + array).get().tolist() == [2.0, 2.0, 2.0] and not streams.faults


def test_a_copy_into_new_memory_that_earlier_work_may_use_is_found(cupy, copying):
    cupy.empty((3,)).set(staged(), copying)
    assert "a copy to the device writes on stream" in streams.faults[0]
    assert "what poisoned writes on the null stream" in streams.faults[0]


def test_a_reader_that_does_not_wait_is_found(cupy, copying):
    array, buffer = cupy.empty((3,)), staged()
    ordered(cupy, cupy.cuda.get_current_stream(), copying)
    array.set(buffer, copying)
    kept = array + 1.0
    fault, = streams.faults
    assert fault.startswith("add reads on the null stream of device 0 what a copy to the device")
    assert kept.shape == (3,)


def test_a_buffer_that_is_filled_during_its_copy_is_found_and_not_after_it(cupy, copying):
    array, buffer = cupy.empty((3,)), staged()
    ordered(cupy, cupy.cuda.get_current_stream(), copying)
    array.set(buffer, copying)
    copied = copying.record(cupy.cuda.Event())
    copied.synchronize()
    buffer[...] = 2.0
    assert not streams.faults and double.stats.synchronised == 1
    array.set(buffer, copying)
    buffer[...] = 3.0
    fault, = streams.faults
    assert fault.startswith("filling a buffer writes on the host what a copy to the device reads")


def test_memory_that_is_freed_while_another_stream_uses_it_is_found(cupy, copying):
    array, buffer = cupy.empty((3,)), staged()
    ordered(cupy, cupy.cuda.get_current_stream(), copying)
    array.set(buffer, copying)
    del buffer
    assert streams.faults.pop().startswith("memory of the host is freed while a copy to the device")
    del array
    assert streams.faults.pop().startswith("memory of the null stream of device 0 is freed while")


def test_memory_is_freed_in_the_order_of_its_own_stream(cupy, copying):
    here, array, buffer = cupy.cuda.get_current_stream(), cupy.empty((3,)), staged()
    ordered(cupy, here, copying)
    array.set(buffer, copying)
    ordered(cupy, copying, here)
    copying.record().synchronize()
    del array, buffer
    assert not streams.faults


@pytest.mark.parametrize("non_blocking", [True, False])
def test_a_blocking_stream_waits_for_the_null_stream_and_delays_it(cupy, non_blocking):
    other = cupy.cuda.Stream(non_blocking=non_blocking)
    array, buffer = cupy.zeros((3,)), staged()
    array.set(buffer, other)
    after = cupy.zeros((3,))
    assert bool(streams.faults) == non_blocking
    copy, last = [e for e in streams.log if e.what in ("a copy to the device", "zeros")][-2:]
    assert streams.concurrent(copy, last) == non_blocking and after.shape == array.shape


def test_copies_of_memory_that_is_not_pinned_are_synchronous(cupy, copying):
    array = cupy.empty((3,))
    ordered(cupy, cupy.cuda.get_current_stream(), copying)
    array.set(np.ones(3), copying)
    assert double.stats.synchronised == 1 and double.stats.to_device == 24


def test_a_stream_of_the_context_is_the_current_one(cupy, copying):
    with copying:
        kept = cupy.ones((3,))
    other = kept + 1.0
    assert "what ones writes on stream" in streams.faults[0] and other.shape == (3,)


def test_arrays_of_two_devices_do_not_meet_and_are_copied():
    with double.installed(2) as cupy:
        array = cupy.ones((3,))
        with cupy.cuda.Device(1):
            other = cupy.ones((3,))
            assert (array.device.id, other.device.id, cupy.cuda.Device().id) == (0, 1, 1)
            with pytest.raises(ValueError, match="an array of device 0 is used on device 1"):
                array + other
            assert array.copy().device.id == 1
        assert other[1:].device.id == 1 and (array + array).device.id == 0
        assert "a copy reads on the null stream of device 1" in streams.faults[0]


def test_the_null_stream_is_that_of_the_current_device():
    with double.installed(2) as cupy:
        there, event = cupy.cuda.get_current_stream(), cupy.cuda.Event()
        with cupy.cuda.Device(1), pytest.raises(RuntimeError, match="is used on device 1"):
            there.wait_event(event)
        with cupy.cuda.Device(1), pytest.raises(RuntimeError, match="an event of device 0"):
            event.record()
