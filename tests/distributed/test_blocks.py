"""Operations over the blocks of dask arrays: the bits of the stream, and what is refused."""
import subprocess
import sys

import numpy as np
import pytest

from hopref import attention, modern, parts, retrieve, sparse, storage, structured
from hopref.errors import CallError, DomainError, DTypeError, RangeError, ShapeError
from tests.rounding import within

da = pytest.importorskip("dask.array", reason="NOT TRIED: dask is missing (the extra 'dask'), so "
                                              "no operation was applied to dask arrays")
import dask  # noqa: E402

from hopref import distributed  # noqa: E402

rng = np.random.default_rng(5)
X, xi = rng.standard_normal((50, 4)), rng.standard_normal((3, 4))
Q, K, V = rng.standard_normal((3, 20, 4))
BLOCKS = [X[i:i + 7] for i in range(0, 50, 7)]
HERE = {"scheduler": "synchronous"}
CALLS = {
    "update": (lambda X: distributed.update(xi, X, beta=2.0),
               lambda B: parts.stream(modern.update, xi, B, beta=2.0)),
    "energy": (lambda X: distributed.energy(xi, X, beta=2.0),
               lambda B: parts.stream(modern.energy, xi, B, beta=2.0)),
    "energy of one state": (lambda X: distributed.energy(xi[0], X),
                            lambda B: parts.stream(modern.energy, xi[0], B)),
    "states in a list": (lambda X: distributed.update(xi.tolist(), X),
                         lambda B: parts.stream(modern.update, xi, B)),
    "hebbian": (lambda X: distributed.hebbian(X, scale=0.5, zero_diagonal=True),
                lambda B: parts.stream(storage.hebbian, B, scale=0.5, zero_diagonal=True)),
    "projection": (lambda X: distributed.apply(storage.projection, X),
                   lambda B: parts.stream(storage.projection, B)),
    "sparse": (lambda X: distributed.apply(sparse.update, xi, X, alpha=2.0),
               lambda B: parts.stream(sparse.update, xi, B, alpha=2.0)),
    "top k": (lambda X: distributed.apply(structured.top_k_update, xi, X, k=9),
              lambda B: parts.stream(structured.top_k_update, xi, B, k=9)),
}


def stored(chunks=(7, 4), array=X):
    return da.from_array(array, chunks=chunks)


@pytest.mark.parametrize("name", CALLS)
def test_the_bits_are_those_of_the_stream_over_the_same_blocks(name):
    there, here = CALLS[name]
    result, right = there(stored()), here(BLOCKS)
    for scheduler in ("synchronous", "threads"):
        got = result.compute(scheduler=scheduler, num_workers=3)
        assert np.array_equal(got, right) and result.shape == right.shape
        assert result.dtype == right.dtype


@pytest.mark.parametrize("split_every", [2, 3, 50])
@pytest.mark.parametrize("count", [1, 2, 5, 8, 13, 27, 50])
def test_the_tree_is_that_of_the_parts_and_its_depth_that_of_the_model(split_every, count):
    chunks = (tuple(len(part) for part in np.array_split(X, count)), (4,))
    result = distributed.update(xi, stored(chunks), split_every=split_every)
    each = [parts.from_chunk(modern.update, xi, part) for part in np.array_split(X, count)]
    tree = parts.merge_all(each, split_every=split_every)
    assert np.array_equal(result.compute(**HERE), parts.value(tree))
    needs, depth = result.__dask_graph__().get_all_dependencies(), {}

    def merges(key):
        if key not in depth:
            depth[key] = str(key).startswith("merge-") + max(map(merges, needs[key]), default=0)
        return depth[key]
    model = distributed.cost(modern.update, xi, stored(chunks), split_every=split_every,
                             rows=count, chunk=1)
    assert model.blocks == count and max(map(merges, needs)) == model.depth
    assert sum(str(key).startswith("merge-") for key in needs) == model.merges == count - 1


@pytest.mark.parametrize("chunks", [(7, 2), (50, 1), ((0, 30, 0, 20), 4), (1, 3)])
def test_blocks_along_other_axes_are_joined_and_blocks_may_be_empty(chunks):
    B = np.split(X, np.cumsum(stored(chunks).chunks[0])[:-1])
    got = distributed.update(xi, stored(chunks)).compute(**HERE)
    assert np.array_equal(got, parts.stream(modern.update, xi, B))


def test_blocks_of_unknown_sizes_are_taken():
    some = stored()[stored()[:, 0] > 0]
    assert np.isnan(some.shape[0])
    B = [part[part[:, 0] > 0] for part in BLOCKS]
    got = distributed.update(xi, some).compute(**HERE)
    assert np.array_equal(got, parts.stream(modern.update, xi, B))
    keys = some, some[:, :2]
    Z = distributed.attention(xi, *keys)
    assert Z.shape == (3, 2)
    seen = X[X[:, 0] > 0]
    within(Z.compute(**HERE), "attention.softmax_attention", xi, seen, seen[:, :2])


def test_mixed_dtypes_are_computed_in_float64():
    q, k, v = Q.astype(np.float32), K.astype(np.float32), np.rint(4 * V).astype(np.int64)
    result = distributed.attention(q, stored((6, 4), k), stored((6, 4), v))
    assert result.dtype == np.float64
    within(result.compute(**HERE), "attention.softmax_attention", q, k, v)


def test_states_and_masks_may_be_dask_arrays_or_not():
    mask = np.tri(20, dtype=bool)
    right = parts.stream(attention.softmax_attention, Q, parts.chunks_of(K, 6),
                         parts.chunks_of(V, 6), mask=parts.chunks_of(mask, 6, axis=-1))
    for q in (Q, stored((3, 2), Q)):
        for m in (mask, stored((4, 5), mask)):
            for k, v in ((stored((6, 4), K), V), (stored((6, 2), K), stored((9, 4), V))):
                Z = distributed.attention(q, k, v, mask=m)
                assert np.array_equal(Z.compute(**HERE), right)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 20])
@pytest.mark.parametrize("start", [{}, {"S": np.ones((4, 4)), "z": np.ones(4)}])
def test_causal_attention_in_blocks_is_that_of_all_positions(count, start):
    phi_q, phi_k = np.exp(Q), np.exp(K)
    lengths = tuple(len(part) for part in np.array_split(Q, count))
    divided = (stored((lengths, 2), phi_q), phi_k, stored((lengths, 4), V))
    Z, S, z = distributed.causal_linear_attention(*divided, **start)
    assert Z.chunks == (lengths, (4,)) and (S.shape, z.shape) == ((4, 4), (4,))
    got = dask.compute(Z, S, z, **HERE)
    within(got, "attention.causal_linear_attention", phi_q, phi_k, V, **start)
    again = dask.compute(Z, S, z, scheduler="threads", num_workers=3)
    assert all(np.array_equal(a, b) for a, b in zip(got, again))


def test_causal_attention_has_leading_axes_and_options():
    phi, mask = np.exp(rng.standard_normal((2, 9, 3))), rng.random((2, 9)) < 0.5
    options = {"eps": 0.5, "mask": mask}
    found = distributed.causal_linear_attention(stored((2, 4, 3), phi), phi, phi, **options)
    within(dask.compute(*found, **HERE), "attention.causal_linear_attention", phi, phi, phi,
           **options)


# ---- retrieval ----------------------------------------------------------------------------------

@pytest.mark.parametrize("persist", [True, False])
def test_retrieval_stops_as_that_of_all_patterns(persist):
    with dask.config.set(HERE):
        run = distributed.retrieve(modern.update, xi, stored(), beta=8.0, persist=persist)
    right = retrieve(modern.update, xi, X, beta=8.0)
    assert np.array_equal(run.reason, right.reason)
    assert np.array_equal(run.steps, right.steps)
    assert len(set(run.steps)) == 1                 # so that every step is that of all states
    states = xi
    for step, energies in enumerate(run.energies):
        states = parts.stream(modern.update, states, BLOCKS, beta=8.0) if step else states
        assert np.array_equal(energies, parts.stream(modern.energy, states, BLOCKS, beta=8.0))
    assert np.array_equal(run.states, states)


def test_persisted_patterns_are_made_once():
    made = []

    def block(block_id):
        made.append(block_id)
        return BLOCKS[block_id[0]]
    lazy = da.map_blocks(block, chunks=(tuple(map(len, BLOCKS)), (4,)), dtype=float,
                         meta=np.empty((0, 0)))
    with dask.config.set(HERE):
        run = distributed.retrieve(modern.update, xi, lazy, beta=8.0, max_steps=3)
        assert len(made) == len(BLOCKS) and run.steps.max() == 3
        distributed.retrieve(modern.update, xi, lazy, beta=8.0, max_steps=3, persist=False)
    assert len(made) > 3 * len(BLOCKS)


def test_a_rule_whose_energy_has_no_parts_has_no_energies():
    with dask.config.set(HERE):
        run = distributed.retrieve(sparse.update, xi[0], stored(), beta=4.0, alpha=2.0)
    assert run.energies is None and run.converged
    state = xi[:1]
    for _ in range(run.steps):
        state = parts.stream(sparse.update, state, BLOCKS, beta=4.0, alpha=2.0)
    assert np.array_equal(run.states, state[0])


# ---- cost ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("split_every", [2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 30, 50])
def test_moved_parts_are_those_of_a_run_with_consecutive_blocks(workers, split_every, count):
    """Each item is (owner of its first block, parts moved so far): merged on that owner."""
    def merge(a, b):
        return a[0], a[1] + b[1] + (a[0] != b[0])
    used = min(workers, count)
    borders = [w * count // used for w in range(used)]
    owners = [int(np.searchsorted(borders, i, side="right")) - 1 for i in range(count)]
    _, moved = parts.merge_all([(w, 0) for w in owners], split_every=split_every, merge=merge)
    model = distributed.cost(modern.update, xi, stored(), rows=count, chunk=1, workers=workers,
                             split_every=split_every)
    assert model.moved == moved * model.part
    assert model.least == (used - 1) * model.part <= model.moved <= model.most


def test_the_cost_counts_the_bytes_of_patterns_and_parts():
    model = distributed.cost(modern.update, xi, stored(), workers=2)
    part = parts.from_chunk(modern.update, xi, X[:7])
    assert model.read == X.nbytes
    assert model.part == xi.nbytes + sum(np.asarray(a).nbytes for a in part.state[:3])
    far = distributed.cost(modern.update, xi, stored(), rows=10**12, chunk=10**6, workers=1000)
    assert far.read == 10**12 * 32 and far.depth == 20 and far.moved < 20 * 1000 * far.part


# ---- files --------------------------------------------------------------------------------------

def test_files_are_mapped_in_their_order(tmp_path):
    names = [tmp_path / f"{i}.npy" for i in range(3)]
    for name, part in zip(names, np.split(X, [20, 20])):
        np.save(name, part)
    M = distributed.mapped(names, rows=7)
    assert M.chunks == ((7, 7, 6, 7, 7, 7, 7, 2), (4,))
    assert np.array_equal(M.compute(**HERE), X)
    B = [block for part in np.split(X, [20]) for block in parts.chunks_of(part, 7)]
    assert np.array_equal(distributed.hebbian(M).compute(**HERE), parts.stream(storage.hebbian, B))


@pytest.mark.parametrize("second, error, message", [
    (np.ones((3, 2)), ShapeError, r"arrays \(n, 4\); got \(3, 2\) in"),
    (np.ones((3, 4), np.float32), DTypeError, "arrays of float64; got float32 in"),
    (np.float64(3.0), ShapeError, r"got \(\) in")])
def test_files_that_do_not_agree_are_refused(tmp_path, second, error, message):
    np.save(tmp_path / "a.npy", X)
    np.save(tmp_path / "b.npy", second)
    with pytest.raises(error, match=message):
        distributed.mapped([tmp_path / "a.npy", tmp_path / "b.npy"], rows=5)


def test_no_file_and_no_row_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", X[:0])
    with pytest.raises(ShapeError, match="at least one row"):
        distributed.mapped([tmp_path / "a.npy"], rows=5)
    with pytest.raises(CallError, match="at least one file"):
        distributed.mapped([], rows=5)
    with pytest.raises(DomainError, match="rows must be an integer >= 1"):
        distributed.mapped([tmp_path / "a.npy"], rows=0)
    with pytest.raises(FileNotFoundError):
        distributed.mapped([tmp_path / "none.npy"], rows=5)


# ---- what is refused ----------------------------------------------------------------------------

UNKNOWN = da.from_delayed(dask.delayed(lambda: X)(), (50, np.nan), float)


@pytest.mark.parametrize("error, message, call", [
    (CallError, "X must be dask arrays, divided along n; got ndarray",
     lambda: distributed.update(xi, X)),
    (CallError, "op must have mergeable parts .*; got storage.storkey",
     lambda: distributed.apply(storage.storkey, stored())),
    (CallError, "op must be an operation of hopref", lambda: distributed.apply(len, stored())),
    (CallError, "got no argument 'X'", lambda: distributed.apply(modern.update, xi)),
    (ShapeError, "modern.update: d must be the same in xi and X",
     lambda: distributed.update(xi[:, :3], stored())),
    (ShapeError, "known sizes along other axes", lambda: distributed.update(xi, UNKNOWN)),
    (ShapeError, "s must be the same in K and V; got 20 and 19",
     lambda: distributed.attention(Q, stored((6, 4), K), V[:19])),
    (ShapeError, r"X must have an axis n; got shape \(\)",
     lambda: distributed.update(xi, da.ones(()))),
    (ShapeError, "at least 1; got no row in any block",
     lambda: distributed.update(xi, stored()[:0])),
    (CallError, "V must be a dask array where blocks have unknown sizes",
     lambda: distributed.attention(Q, stored()[stored()[:, 0] > 0], V)),
    (ShapeError, "K and V must have equally many blocks; got 8 and 4",
     lambda: distributed.attention(Q, stored()[stored()[:, 0] > 0], stored((6, 4), V))),
    (DomainError, "beta must be", lambda: distributed.update(xi, stored(), beta=-1.0)),
    (DomainError, "split_every must be an integer >= 2",
     lambda: distributed.update(xi, stored(), split_every=1)),
    (DTypeError, "X must hold real numbers; got complex",
     lambda: distributed.update(xi, stored(array=1j * X))),
    (DomainError, "causal must be False where",
     lambda: distributed.attention(Q, stored((6, 4), K), V, causal=True)),
    (DomainError, "k must be an integer", lambda: distributed.apply(structured.top_k_update, xi,
                                                                    stored(), k=0)),
    (CallError, "update must be an operation that maps states to states",
     lambda: distributed.retrieve(modern.energy, xi, stored())),
    (CallError, "update must be an operation that maps states to states",
     lambda: distributed.retrieve(len, xi, stored())),
    (DomainError, "max_steps must be", lambda: distributed.retrieve(modern.update, xi, stored(),
                                                                    max_steps=0)),
    (DomainError, "workers must be", lambda: distributed.cost(modern.update, xi, stored(),
                                                              workers=0)),
])
def test_a_wrong_call_is_refused_before_anything_is_computed(error, message, call):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("value, error, message", [
    (np.nan, DomainError, "X must be finite; got X.2, 1. = nan at chunk 1"),
    (1e308, RangeError, "must stay below 2.1023 in size where chunks are to be merged")])
def test_wrong_values_of_a_block_are_errors_of_the_computation(value, error, message):
    wrong = X.copy()
    wrong[9, 1] = value
    lazy = distributed.update(2.0**900 * xi, stored(array=wrong))
    with pytest.raises(error, match=message):
        lazy.compute(**HERE)


def test_k_above_the_number_of_rows_is_found_by_the_computation():
    lazy = distributed.apply(structured.top_k_update, xi, stored(), k=51)
    with pytest.raises(DomainError, match="k must be at most 50"):
        lazy.compute(**HERE)


def test_without_dask_the_extra_is_named():
    code = ("import sys; sys.modules['dask'] = None\nfrom hopref import distributed\n"
            "try: distributed.update([1.0], [[1.0]])\nexcept ImportError as error: print(error)")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'dask must be installed (python -m pip install "hopref[dask]")' in run.stdout


# ---- progress -----------------------------------------------------------------------------------

def test_a_bar_is_shown_on_a_terminal_only(monkeypatch, capsys):
    from hopref.distributed import computation

    class Terminal:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True
    terminal = Terminal()
    monkeypatch.setattr(computation, "DELAY", 0)
    monkeypatch.setattr(sys, "stderr", terminal)
    a, b = distributed.compute(stored().sum(), stored().max())
    assert "Completed" in terminal.text and (a, b) == (pytest.approx(X.sum()), X.max())
    monkeypatch.undo()
    distributed.compute(stored())
    assert capsys.readouterr() == ("", "")
