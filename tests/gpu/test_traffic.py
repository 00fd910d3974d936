"""The accesses of the kernels to memory: bank conflicts and sectors, counted by the interpreter."""
import numpy as np
import pytest

from hopref import attention, classical, dense, features, modern
from hopref.fast.cupy import _attend, _causal, _projected
from tests.doubles import cupy as double
from tests.gpu import nvrtc, raw
from tests.gpu.ptx.launch import launch
from tests.gpu.ptx.parse import parse
from tests.gpu.ptx.traffic import Traffic

pytestmark = nvrtc.required()

TRANSPOSED = """extern "C" __global__ void f(const float* __restrict__ x, float* y)
{
    __shared__ float tile[32][WIDTH];
    const int i = threadIdx.x, j = threadIdx.y;
    tile[j][i] = x[j * 32 + i];
    __syncthreads();
    y[j * 32 + i] = tile[i][j];
}
"""
SCATTERED = TRANSPOSED.replace("y[j * 32 + i] = tile[i][j]", "y[i * 32 + j] = tile[j][i]")


def counted(source, width):
    traffic, x, y = Traffic(), np.arange(1024, dtype="f4"), np.zeros(1024, "f4")
    kernel = parse(nvrtc.to_ptx(source, (f"-DWIDTH={width}",)))["f"]
    launch(kernel, (1,), (32, 32), (x, y), traffic=traffic)
    assert np.array_equal(y.reshape(32, 32), x.reshape(32, 32).T)
    return traffic


def test_a_bank_conflict_is_found_with_the_line_that_has_it():
    """The 32 numbers of a column are in one bank, unless rows are padded."""
    assert counted(TRANSPOSED, 32).excess("shared") == {"kernel.cu:5": 1, "kernel.cu:7": 32}
    assert counted(TRANSPOSED, 33).excess("shared") == {"kernel.cu:5": 1, "kernel.cu:7": 1}


def test_sectors_of_scattered_stores_are_counted():
    """Each number of a column is in a sector of its own, of which it is an eighth."""
    assert counted(TRANSPOSED, 33).excess("global") == {"kernel.cu:5": 1, "kernel.cu:7": 1}
    assert counted(SCATTERED, 33).excess("global") == {"kernel.cu:5": 1, "kernel.cu:7": 8}


def test_parts_of_a_warp_that_read_8_or_16_bytes_share_passes_where_neighbours_read_the_same():
    """Of 16 bytes, quarters of a warp take a pass each, or two of them one."""
    lanes = np.arange(32)

    def passes(of_lane, size):
        counted = Traffic()
        counted.add("shared", "", np.uint64(size) * of_lane.astype(np.uint64), size, lanes)
        return counted.counts["shared", ""][1]
    assert [passes(lanes, size) for size in (4, 8, 16)] == [1, 2, 4]
    assert [passes(lanes // 2, size) for size in (4, 8, 16)] == [1, 1, 2]
    assert passes(lanes % 2 + lanes // 4 * 2, 16) == 2 and passes(lanes % 8, 16) == 4
    assert passes(lanes // 8, 16) == 2 and passes(lanes * 8, 16) == 32


@pytest.fixture
def traffic(monkeypatch):
    """That of the kernels that are launched, by their names."""
    counted = {}

    def counting(kernel, *args, **kwargs):
        launch(kernel, *args, **kwargs, traffic=counted.setdefault(kernel.name, Traffic()))
    monkeypatch.setattr(raw, "launch", counting)
    return counted


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_kernels_of_attention_have_no_bank_conflicts_and_read_whole_sectors(dtype, traffic):
    """For rows that are multiples of a sector; a single number is a sector."""
    rng = np.random.default_rng(0)
    xi, X = (rng.standard_normal((n, 64)).astype(dtype) for n in (2, 160))
    with double.installed():
        modern.update(double.asarray(xi), double.asarray(X), backend="cupy")
    assert traffic.keys() == {"partial", "merge"}
    lines = _attend.source().splitlines()
    for kernel, of in traffic.items():
        assert all(ratio == 1 for ratio in of.excess("shared").values()), kernel
        wasteful = {lines[int(line.partition(":")[2]) - 1].strip()
                    for line, ratio in of.excess("global").items() if ratio > 1}
        assert not wasteful, kernel


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_have_no_bank_conflicts_and_read_whole_sectors(dtype, traffic, for_many):
    """An access to 16 bytes takes two passes, the least where lanes have 4 queries and 8 keys, and
    the sums of a block are written once to shared memory; 8 masks are a quarter of a sector."""
    Q, K, V = (np.ones((n, 8), dtype) for n in (32, 32, 32))
    with double.installed():
        attention.softmax_attention(*map(double.asarray, (Q, K, V)), backend="cupy",
                                    mask=double.ones((32, 32), dtype=bool),
                                    bias=double.zeros((32, 32), dtype=dtype))
    passes, wasteful = of_tiles(traffic["tile"], _attend.source("tile"))
    assert len(passes) == 4 and set(passes.values()) == {2}
    assert wasteful == {"return masked && !*mask ? -infinity() : score;"}


def of_tiles(traffic, source):
    """The passes of requests of packs of products by their lines, and the lines that waste sectors;
    all else has no bank conflicts."""
    lines, passes, wasteful = source.splitlines(), {}, set()
    for (space, line), (requests, taken, least) in traffic.counts.items():
        text = lines[int(line.partition(":")[2]) - 1].strip()
        if space == "shared" and text.startswith(("q[m]", "x[j]", "w[m]", "const Pack x")):
            passes[text] = taken / requests
        elif space == "shared" and not text.startswith("query[mine"):
            assert taken == least, text
        elif space == "global" and taken > least:
            wasteful.add(text)
    return passes, wasteful


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_have_no_bank_conflicts_and_write_whole_sectors(dtype, traffic):
    x, omega = (np.ones((n, 8), dtype) for n in (64, 64))
    with double.installed():
        features.gerf(double.asarray(x), double.asarray(omega), A=0.1, backend="cupy")
    passes, wasteful = of_tiles(traffic["features"], _projected.source())
    assert len(passes) == 2 and set(passes.values()) == {2} and not wasteful


def test_the_other_kernels_have_no_bank_conflicts(traffic, monkeypatch):
    """With whole blocks of columns: where some are absent, two rows may share banks."""
    monkeypatch.setattr(_causal, "BLOCKS", 0)
    rng = np.random.default_rng(0)
    with double.installed():
        q, k, V = (double.asarray(rng.random((9, n), np.float32)) for n in (20, 20, 31))
        attention.causal_linear_attention(q, k, V, backend="cupy")
        W, xi = double.asarray(rng.random((140, 140), np.float32)), double.ones((1, 140), "f4")
        classical.asynchronous_update(xi, W, order=double.asarray(np.arange(3)), backend="cupy")
        X, order = double.asarray(rng.random((40, 3))), double.asarray(np.array([1]))
        dense.asynchronous_update(double.ones((1, 3)), X, order=order, backend="cupy")
    assert traffic.keys() == {"causal", "sweep", "dense"}
    for kernel, of in traffic.items():
        assert of.excess("shared") and all(
            ratio == 1 for ratio in of.excess("shared").values()), kernel
