"""Properties of every kernel: bits, threads, forks, memory, and a missing cache."""
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hopref import (
    attention,
    classical,
    dense,
    features,
    gated,
    gradients,
    maps,
    modern,
    performer,
    retrieve,
    sparse,
    structured,
    use_backend,
)

pytest.importorskip("numba")
COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
compiled = pytest.mark.skipif(not COMPILED, reason="kernels run as Python")


def problem(op, dtype="float64", M=20, N=150, d=6):
    """A call of ``op`` with more than one tile, chunk, lane block and block of visits.

    Only its arguments are drawn: memory that is freed would hide the growth that is measured.
    """
    rng = np.random.default_rng(0)
    xi, X, V = rng.standard_normal((M, d)), rng.standard_normal((N, d)), rng.standard_normal((N, 3))
    support = np.arange(M)[:, None] % 2 == np.arange(N) % 2
    args, kwargs = {
        "modern.update": lambda: ((xi, X), {"beta": 0.5}),
        "modern.energy": lambda: ((xi, X), {"beta": 0.5}),
        "attention.softmax_attention": lambda: ((X, X[::-1], V), {"causal": True}),
        "attention.causal_linear_attention": lambda: ((np.abs(X), np.abs(X[::-1]), V), {}),
        "attention.log_causal_linear_attention": lambda: ((X, X[::-1], V), {}),
        "attention.linear_attention": lambda: ((np.abs(X), np.abs(X[::-1]), V), {}),
        "gated.linear_attention": lambda: ((X, X[::-1] / 4, V), {"rule": "delta"}),
        "features.positive": lambda: ((xi, X), {"beta": 0.5}),
        "performer.update": lambda: ((xi, X, rng.standard_normal((40, d))), {"beta": 0.5}),
        "classical.low_rank_asynchronous_update":
            lambda: ((np.sign(xi), X), {"order": rng.integers(0, d, 70)}),
        "classical.low_rank_update": lambda: ((np.sign(xi), X), {"zero_diagonal": True}),
        "classical.update": lambda: ((np.sign(xi), X.T @ X), {}),
        "classical.asynchronous_update":
            lambda: ((np.sign(xi), X.T @ X), {"order": rng.integers(0, d, 70)}),
        "dense.update": lambda: ((np.sign(xi), np.sign(X)), {}),
        "dense.asynchronous_update":
            lambda: ((np.sign(xi), np.sign(X)), {"order": rng.integers(0, d, 70)}),
        "maps.entmax": lambda: ((rng.standard_normal((M, N)),), {"alpha": 1.25}),
        "sparse.update": lambda: ((xi, X), {"beta": 0.5}),
        "sparse.k_subsets_energy": lambda: ((xi, X), {"k": 3}),
        "structured.update": lambda: ((xi, X, support), {}),
        "structured.listed_update": lambda: ((xi, X, *np.nonzero(support)), {}),
        "structured.window_update": lambda: ((X, X[::-1]), {"width": 5, "dilation": 2}),
        "maps.k_subsets": lambda: ((rng.standard_normal((M, N)),), {"k": 3}),
        "gradients.features.positive":
            lambda: ((rng.standard_normal((M, N)), xi, X), {"beta": 0.5}),
        "gradients.maps.entmax": lambda: ((*rng.standard_normal((2, M, N)),), {"alpha": 1.25}),
        "gradients.sparse.update": lambda: ((xi[::-1], xi, X), {"beta": 0.5}),
        "gradients.modern.update": lambda: ((xi[::-1], xi, X), {"beta": 0.5}),
        "gradients.attention.softmax_attention":
            lambda: ((V[::-1], X, X[::-1], V), {"causal": True}),
        "gradients.attention.linear_attention":
            lambda: ((X[::-1], np.abs(X), np.abs(X[::-1]), X), {}),
        "gradients.gated.linear_attention":
            lambda: ((V, V[:d], X, X[::-1] / 4, V[::-1]), {"rule": "delta"}),
        "gradients.attention.causal_linear_attention":
            lambda: ((X[::-1], X[:d], X[:d, 0], np.abs(X), np.abs(X[::-1]), X), {}),
    }[op.name]()
    return [a.astype(dtype, copy=False) if a.dtype.kind == "f" else a for a in args], kwargs


SEQUENCES = (attention.softmax_attention, attention.causal_linear_attention,
             attention.linear_attention, attention.log_causal_linear_attention,
             gated.linear_attention)
SIGNS = (classical.low_rank_asynchronous_update, classical.low_rank_update, classical.update,
         classical.asynchronous_update)
RULES = [modern.update, modern.energy, *SEQUENCES, *SIGNS, features.positive, performer.update,
         dense.update, dense.asynchronous_update, maps.entmax, maps.k_subsets, sparse.update,
         sparse.k_subsets_energy]
SUPPORTS = [structured.update, structured.listed_update, structured.window_update]
OPS = [*RULES, *SUPPORTS, gradients.features.positive, gradients.maps.entmax,
       gradients.sparse.update, gradients.modern.update, gradients.attention.softmax_attention,
       gradients.attention.linear_attention, gradients.attention.causal_linear_attention,
       gradients.gated.linear_attention]
rules = pytest.mark.parametrize("op", RULES, ids=lambda op: op.name)
ops = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


def bits(answer):
    several = answer if type(answer) is tuple else (answer,)
    return b"".join(np.asarray(y).tobytes() for y in several)


@ops
def test_eight_threads_a_hundred_times_give_the_bits_of_one(op):
    args, kwargs = problem(op)
    repeats = 100 if COMPILED else 1
    once = bits(op(*args, **kwargs, backend="numba"))
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(op, *args, **kwargs, backend="numba") for _ in range(8 * repeats)]
    assert {bits(run.result()) for run in runs} == {once}


@ops
@pytest.mark.filterwarnings("ignore:(os.fork|This process .* multi-threaded)")  # from others
def test_a_forked_child_gives_the_bits_of_its_parent(op):
    args, kwargs = problem(op)
    parent = bits(op(*args, **kwargs, backend="numba"))
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(
        target=lambda: theirs.send(bits(op(*args, **kwargs, backend="numba"))))
    child.start()
    assert ours.poll(60) and ours.recv() == parent
    child.join()
    assert child.exitcode == 0


@rules
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_other_states_of_a_batch_do_not_change_a_bit(op, dtype):
    """This includes batches that fill one block of lanes and part of another."""
    args, kwargs = problem(op, dtype, M=70 if COMPILED else 20)
    if op in SEQUENCES:
        whole = op(*args, **kwargs, backend="numba")
        several = op(*(np.stack([a[::-1], a]) for a in args), **kwargs, backend="numba")
        whole, several = (y[0] if type(y) is tuple else y for y in (whole, several))
        assert bits(several[1]) == bits(whole)
        return
    xi, *X = args
    whole = op(xi, *X, **kwargs, backend="numba")
    part = op(xi[3:19], *X, **kwargs, backend="numba")
    assert bits(part) == bits(whole[3:19])
    alone = op(xi[5], *X, **kwargs, backend="numba")
    assert bits(op(xi[:, None, :], *X, **kwargs, backend="numba")[5]) == bits(alone)


def test_retrieval_of_a_batch_is_bit_for_bit_that_of_each_state():
    (xi, X), _ = problem(modern.update)
    with use_backend("numba"):
        together = retrieve(modern.update, xi, X, beta=3.0)
        for m in range(3):
            alone = retrieve(modern.update, xi[m], X, beta=3.0)
            assert bits(alone.states) == bits(together.states[m])
            assert alone.steps == together.steps[m]


@rules
def test_nonfinite_values_affect_their_row_only(op):
    args, kwargs = problem(op)
    clean = op(*args, **kwargs, backend="numba")
    dirty = [a.copy() for a in args]
    dirty[0][4, 1] = np.nan
    if op is attention.causal_linear_attention:
        dirty[2][90] = np.inf, -np.inf, np.nan          # a value, in the future of 90 positions
    if op in SIGNS:
        kwargs["ties"] = "plus"
        clean = op(*args, **kwargs, backend="numba")
    got = op(*dirty, **kwargs, nonfinite="propagate", backend="numba")
    want = op(*dirty, **kwargs, nonfinite="propagate", backend="formula")
    for c, g, w in zip(*(y if type(y) is tuple else (y,) for y in (clean, got, want))):
        assert np.array_equal(np.isfinite(g), np.isfinite(w))
        if c.shape[0] == g.shape[0] and op is not attention.causal_linear_attention:
            others = np.arange(len(c)) != 4
            assert bits(c[others]) == bits(g[others])


FORMED = {"modern.update": ({"M": 4000, "N": 4000}, "M x N"),
          "modern.energy": ({"M": 4000, "N": 4000}, "M x N"),
          "attention.softmax_attention": ({"N": 4000}, "L x S"),
          "attention.causal_linear_attention": ({"N": 200_000}, "L x r x v"),
          "attention.log_causal_linear_attention": ({"N": 200_000}, "L x r x v"),
          "attention.linear_attention": ({"N": 200_000}, "L x r x v"),
          "gated.linear_attention": ({"N": 200_000}, "L x d x v"),
          "classical.low_rank_asynchronous_update": ({"M": 4, "N": 8, "d": 4000}, "d x d"),
          "classical.low_rank_update": ({"M": 4, "N": 8, "d": 4000}, "d x d"),
          "classical.update": ({"M": 4000, "N": 8, "d": 1000}, "M x d"),
          "classical.asynchronous_update": ({"M": 4000, "N": 8, "d": 1000}, "M x d"),
          "dense.update": ({"M": 40, "N": 1000, "d": 600}, "M x N x d"),
          "dense.asynchronous_update": ({"M": 4000, "N": 1000}, "M x N"),
          "maps.k_subsets": ({"M": 4000, "N": 4000}, "M x N"),
          "features.positive": ({"M": 4000, "N": 4000}, "M x N exponents"),
          "performer.update": ({"N": 400_000}, "N x m features"),
          "maps.entmax": ({"M": 4000, "N": 4000}, "M x N"),
          "sparse.update": ({"M": 4000, "N": 4000}, "M x N"),
          "sparse.k_subsets_energy": ({"M": 4000, "N": 4000}, "M x N"),
          "gradients.features.positive": ({"M": 4000, "N": 4000}, "M x N exponents"),
          "gradients.maps.entmax": ({"M": 4000, "N": 4000}, "M x N"),
          "gradients.sparse.update": ({"M": 4000, "N": 4000}, "M x N"),
          "structured.update": ({"M": 4000, "N": 4000}, "M x N"),
          "structured.listed_update": ({"N": 6000, "d": 64}, "pairs x d"),
          "structured.window_update": ({"N": 60_000, "d": 30}, "N x width x d"),
          "gradients.modern.update": ({"M": 4000, "N": 4000}, "M x N"),
          "gradients.attention.softmax_attention": ({"N": 2000}, "the weights"),
          "gradients.attention.linear_attention": ({"N": 20_000, "d": 30}, "L x r x v"),
          "gradients.attention.causal_linear_attention": ({"N": 20_000, "d": 30}, "L x r x v"),
          "gradients.gated.linear_attention": ({"N": 50_000, "d": 30}, "L x d x v")}
COPIES = {"structured.window_update": 3, "gradients.attention.linear_attention": 2,
          "gradients.attention.causal_linear_attention": 4}     # of the results; 1 for all others


@compiled
@pytest.mark.parametrize("part", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in (1, 2, 3))])
def test_the_large_array_of_the_formula_is_never_formed(part):
    """Resident memory is measured, since kernels allocate outside Python, of the second call of an
    operation in a process of its own, which returns freed arrays; 28 MB or more would be formed."""
    sizes = {op.name: FORMED[op.name][0] for op in OPS[part::4]}
    lines = in_a_new_process(f"""
import os, pathlib, resource, sys
from tests.fast.test_kernels import OPS, problem
for op in OPS[{part}::4]:
    if os.fork():
        assert os.wait()[1] == 0, op.name
        continue
    args, kwargs = problem(op, **{sizes}[op.name])
    call = op.prepare(*args, **kwargs, backend='numba')
    call.path(*call.args, **call.kwargs)        # compiled code is loaded
    if sys.platform == 'linux':                 # the peak is that of now
        pathlib.Path('/proc/self/clear_refs').write_text('5')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = call.path(*call.args, **call.kwargs)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    results = answer if type(answer) is tuple else [answer]
    print(op.name, 1024 * growth, sum(y.nbytes for y in results), flush=True)
    os._exit(0)
""", PYTHONPATH=os.pathsep.join(sys.path), MALLOC_MMAP_THRESHOLD_=str(2**20))
    grown = {name: int(growth) - COPIES.get(name, 1) * int(results) for name, growth, results in
             (lines[i:i + 3] for i in range(0, len(lines), 3))}
    assert grown.keys() == sizes.keys()
    assert {name: more for name, more in grown.items() if more > 8 * 2**20} == {}


TRY = """
import numpy as np
from hopref.fast.numba._products import dot
print(dot(np.ones(2), np.ones(2)))
"""


def in_a_new_process(code, **environment):
    run = subprocess.run([sys.executable, "-P", "-W", "error", "-c", code], capture_output=True,
                         text=True, env={**os.environ, **environment})
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@compiled
def test_kernels_work_without_a_writeable_cache(tmp_path):
    """numba finds no directory, or one in which writing fails."""
    file = tmp_path / "file"
    file.touch()
    nowhere = "import numba.core.caching as c; c.CacheImpl._locator_classes = []" + TRY
    assert in_a_new_process(nowhere) == ["2.0"]
    assert in_a_new_process(TRY, NUMBA_CACHE_DIR=str(file / "below")) == ["2.0"]


@compiled
def test_compiled_code_is_stored_under_the_digest_of_all_kernel_files(tmp_path):
    in_a_new_process(TRY, NUMBA_CACHE_DIR=str(tmp_path))
    from hopref.fast.numba._jit import SOURCES
    kept = [file.name for file in tmp_path.rglob("*.nbi")]
    assert kept and all(SOURCES in name for name in kept)


def test_kernels_stay_within_their_arrays():
    """Compiled code checks no index; NumPy, on which the same code runs as Python, checks all."""
    assert in_a_new_process("""
import sys
sys.path.insert(0, '.')
from tests.fast.test_kernels import OPS, problem
for op in OPS:
    for M, N, d in (20, 150, 6), (3, 7, 1):
        args, kwargs = problem(op, M=M, N=N, d=d)
        op(*args, **kwargs, backend='numba')
print('inside')
""", NUMBA_DISABLE_JIT="1") == ["inside"]
