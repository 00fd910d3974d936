"""The limit of memory: what exactly fits is taken, and its default is half of the memory."""
import math
import os

import numpy as np
import pytest

import hopref
from hopref import modern, storage
from hopref.dispatch import memory
from hopref.dispatch.declaration import Declaration, bind
from hopref.errors import BackendError, CallError, DomainError, ResourceError

X = np.ones((3, 4))
FITS = [
    (lambda: modern.update(np.ones(4), X), 3 * 8),                  # the scores (n)
    (lambda: modern.update(np.ones((2, 4)), X), 2 * 3 * 8),         # (..., n)
    (lambda: storage.hebbian(X), 4 * 4 * 8),                        # (d, d)
    (lambda: storage.hebbian(np.ones((9, 4), np.float32)), 9 * 4 * 8),      # the copy of X
    (lambda: storage.hebbian(np.ones((4, 9)).T), 4 * 9 * 8),
]


@pytest.mark.parametrize("call, need", FITS)
def test_an_array_of_exactly_the_limit_fits(call, need, monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", need)
    call()
    monkeypatch.setattr(hopref, "memory_limit", need - 1)
    with pytest.raises(ResourceError):
        call()


def test_a_plain_array_is_not_copied_whatever_the_limit(monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", 4 * 4 * 8)
    storage.hebbian(np.ones((99, 4)))


@pytest.mark.parametrize("limit", [True, np.True_, -1, math.nan, "1", [1]])
def test_a_limit_that_is_no_number_of_bytes_is_refused(limit, monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", limit)
    with pytest.raises(DomainError, match="memory_limit must be None or a number of bytes >= 0"):
        memory.memory_limit()


@pytest.mark.parametrize("limit", [0, 2, 2.5, np.int64(3), np.float32(4), math.inf])
def test_a_limit_is_a_number_of_bytes(limit, monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", limit)
    assert memory.memory_limit() == limit and type(memory.memory_limit()) is float


def test_the_limit_is_half_of_the_memory_where_none_is_set(monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", None)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 6, "SC_PAGE_SIZE": 4096}.__getitem__)
    memory._half_of_memory.cache_clear()
    assert memory.memory_limit() == 3 * 4096

    def unknown(name):
        raise ValueError(name)
    monkeypatch.setattr(os, "sysconf", unknown)
    memory._half_of_memory.cache_clear()
    assert memory.memory_limit() == math.inf
    memory._half_of_memory.cache_clear()


def test_an_error_of_a_nested_limit_keeps_its_message():
    """A custom activation may call an operation whose arrays do not fit."""
    def large(u):
        raise ResourceError("an array of the activation")
    activation = hopref.graded.Activation(large, large, large)
    with pytest.raises(ResourceError, match=r"update: an array of the activation\.$"):
        hopref.graded.update([1.0], [[1.0]], activation=activation)


def test_a_backend_names_the_arrays_that_it_got():
    with pytest.raises(BackendError, match="backend='cupy' must be given cupy arrays; got numpy"):
        modern.update(np.ones(4), X, backend="cupy")


def test_arguments_by_name_are_bound_where_the_signature_allows_it():
    def step(x, y=2.0, /, z=3.0, *, beta=1.0):
        """A step."""

    op = Declaration(step, "(d),(),()->(d)", {})
    every = {"x": 1.0, "y": 2.0, "z": 3.0, "beta": 1.0}
    assert bind(op, (1.0,), {}) == every
    assert bind(op, (1.0, 4.0), {"z": 5.0}) == every | {"y": 4.0, "z": 5.0}
    assert bind(op, (1.0, 4.0, 6.0), {"beta": 7.0}) == {"x": 1.0, "y": 4.0, "z": 6.0, "beta": 7.0}
    for args, kwargs in (((), {}), ((1.0,), {"x": 1.0}), ((1.0,) * 4, {}), ((1.0,), {"w": 1.0})):
        with pytest.raises(CallError, match="must be called as"):
            bind(op, args, kwargs)
