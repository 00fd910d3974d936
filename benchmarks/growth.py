"""Growth of cost with size: exponents of the number of operations and of the peak memory.

A cost that grows as size^p has the exponent p, which is fitted over sizes that double.  Operations
are counted by running the formula on counting arrays, and depend on shapes alone.  Memory is the
peak that tracemalloc measures, without the arguments.  Both are deterministic, unlike seconds,
which have no required values.  The measures are those of `hopref.check.growth`; the files are
loaded by their paths, so that releases without them can be measured too.
"""
import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hopref.dispatch.operation import load, unchecked

LINEAR, QUADRATIC = (0.9, 1.05), (1.9, 2.05)


class Growth(NamedTuple):
    """An operation with its arguments at a size, the sizes, and the exponents of its cost."""
    op: str
    draw: Callable
    sizes: tuple
    work: tuple
    memory: tuple


def heads(L, d=16):
    """Arguments of self-attention over L positions."""
    return _normal(L, d), _normal(L, d), _normal(L, d)


def features(L, r=32, v=16):
    """Features of L positions, and their values."""
    return np.abs(_normal(L, r)), np.abs(_normal(L, r)), _normal(L, v)


def feature_logs(L, r=32, v=16):
    """Logarithms of features of L positions, and their values."""
    log_q, log_k, V = features(L, r, v)
    return np.log(log_q), np.log(log_k), V


def positions(L, d=64):
    """States of L positions, which are the patterns too."""
    x = _normal(L, d)
    return x, x


def tokens(L, d=16):
    """Queries, keys of length 1 and values of L tokens; logs of a decay for each token and for each
    entry of its key; and strengths of writes."""
    rng, (Q, K, V) = np.random.default_rng(L), heads(L, d)
    K = _normal(L + 1, d)[1:]
    K /= np.sqrt((K * K).sum(axis=1, keepdims=True))
    return (Q, K, V), -rng.random(L) / 8, -rng.random((L, d)) / 8, rng.random(L)


def supported(N, M=64, d=64):
    """M states, N patterns, and a support of a tenth of the patterns of each state."""
    support = np.random.default_rng(0).random((M, N)) < 0.1
    support[:, 0] = True
    return *memory(N, M, d), support


def listed(N, M=64, d=64):
    """The arguments of `supported`, with the support as a list of pairs."""
    xi, X, support = supported(N, M, d)
    return xi, X, *np.nonzero(support)


def vectors(L, d=16, m=32):
    """L vectors, and m random directions."""
    return _normal(L, d), _normal(m, d)


def performer_heads(L, d=16, m=32):
    return *heads(L, d), _normal(m, d)


def memory(N, M=32, d=16):
    """M states and N patterns."""
    return _normal(M, d), _normal(N, d)


def performer_memory(N, M=32, d=16, m=32):
    return *memory(N, M, d), _normal(m, d)


def network(d, M=64):
    """M polar states of d components and symmetric weights."""
    W = _normal(d, d)
    return np.sign(_normal(M, d)), W + W.T


def store(d, M=64, N=16):
    """M polar states of d components and N patterns."""
    return np.sign(_normal(M, d)), np.sign(_normal(N, d))


def binary_network(d, M=64):
    """M binary cues with d / 50 active components, and binary weights, half of which are 1."""
    rng = np.random.default_rng(d)
    return (rng.random((M, d)) < 0.02) * 1.0, (rng.random((d, d)) < 0.5) * 1.0


def scores(n, M=64):
    """M rows of n scores."""
    return (_normal(M, n),)


def _normal(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


LONG, SHORT = (512, 1024, 2048, 4096), (256, 512, 1024, 2048)
GROWTHS = {
    "softmax attention in L": Growth(
        "attention.softmax_attention", heads, SHORT, QUADRATIC, QUADRATIC),
    "linear attention in L": Growth(
        "attention.linear_attention", features, LONG, LINEAR, LINEAR),
    "causal linear attention in L": Growth(
        "attention.causal_linear_attention", features, SHORT, LINEAR, LINEAR),
    "Performer attention in L": Growth(
        "performer.attention", performer_heads, LONG, LINEAR, LINEAR),
    "Performer retrieval in N": Growth(
        "performer.update", performer_memory, LONG, LINEAR, LINEAR),
    "retrieval in N": Growth("modern.update", memory, LONG, LINEAR, LINEAR),
    "energy in N": Growth("modern.energy", memory, LONG, LINEAR, LINEAR),
    "classical update in d": Growth("classical.update", network, SHORT, QUADRATIC, LINEAR),
    "low-rank classical update in d": Growth(
        "classical.low_rank_update", store, LONG, LINEAR, LINEAR),
    "Hebbian storage in d": Growth(
        "storage.hebbian", lambda d: store(d)[1:], SHORT, QUADRATIC, QUADRATIC),
    "graded update in d": Growth("graded.update", network, SHORT, QUADRATIC, LINEAR),
}


class _Growth:
    """Benchmarks of the exponents; asv ignores this class, but not its subclasses."""
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return work_exponent(title)

    def track_memory(self, title):
        return memory_exponent(title)


def titles(*models):
    """Titles of the growths of the operations of these models."""
    return [title for title, growth in GROWTHS.items() if growth.op.partition(".")[0] in models]


def in_format(args, dtype):
    """The arguments, with the real arrays in a number format."""
    return [a.astype(dtype) if a.dtype.kind == "f" else a for a in args]


def prepared(name, *args, **kwargs):
    """A call of the operation with validated arguments."""
    call = load()[name].prepare(*args, **kwargs)

    def step():
        with unchecked():
            return call.path(*call.args, **call.kwargs)
    return step


def work_exponent(title):
    growth = GROWTHS[title]
    return exponent_of_work(load()[growth.op].formula, growth.draw, growth.sizes)


def memory_exponent(title):
    growth = GROWTHS[title]
    return exponent_of_memory(partial(prepared, growth.op), growth.draw, growth.sizes)


def exponent_of_work(function, draw, sizes):
    """The exponent of counted operations of ``function(*draw(size))``."""
    return exponent(sizes, [counting.count(function, *draw(size)).work for size in sizes])


def exponent_of_memory(prepared, draw, sizes):
    """The exponent of the peak memory of ``prepared(*draw(size))()``, arguments excluded."""
    return exponent(sizes, [peak(prepared(*draw(size))) for size in sizes])


def peak_bytes(call):
    """Peak bytes of a call without its arguments: those that tracemalloc sees, or the least of
    three readings of the process, where it is more by over a mebibyte: compiled code allocates
    some itself, and other code disturbs a reading.
    """
    traced = peak(call)
    resident = min((measures.resident_peak(call) or 0) for _ in range(3))
    return resident if resident > traced + 2**20 else traced


def _file(name):
    """A file of `hopref.check.growth`, loaded by its path."""
    file = Path(__file__).parents[1] / "hopref" / "check" / "growth" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"hopref_{name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


counting = _file("counting")
exponent = _file("exponents").slope
measures = _file("measures")
peak = measures.peak
