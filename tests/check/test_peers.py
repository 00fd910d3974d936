"""Known third parties: the right ones conform, the wrong ones fail by name."""
import pytest

from hopref.check.peers.installed import peer_report
from hopref.check.peers.known import PEERS
from hopref.check.report.text import details

BUGS = {"hflayers.Hopfield, one scaling": "a head stops by the largest change in the batch",
        "hflayers.Hopfield, a scaling per head": "a factor per head tiled over channels",
        "performer-pytorch attention": "FAVOR+ eps 1e-4",
        "performer-pytorch causal attention":
            "future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums",
        "performer-pytorch projection": "QR without sign correction",
        "torchhd.memory.modern_hopfield, its sign":
            "equal exponentials on both sides not cancelled"}
DIFFERENCES = {                         # without a name: (function, format) and a finding
    ("jax.nn.standardize", "float64"): "tolerance of layers.layer_norm",
    ("flax.linen.LayerNorm", "float64"): "tolerance of layers.layer_norm",
    ("keras.ops.sparsemax", "float32"): "sparse weights sum to one",
    ("entmax.sparsemax_bisect", "float32"): "tolerance of maps.sparsemax",
    ("entmax.entmax15 and entmax_bisect", "float32"): "tolerance of maps.entmax",
    ("entmax.normmax_bisect", "float32"): "tolerance of maps.normmax",
    **{(name, dtype): finding for dtype in ("float64", "float32") for name, finding in {
        "entmax.budget_bisect": "tolerance of maps.k_subsets",
        "entmax.entmax15 and entmax_bisect, gradient": "tolerance of gradients.maps.entmax",
        "sparsemax.Sparsemax": "raised", "sparsemax.Sparsemax, gradient": "raised"}.items()},
}
RIGHT = [(p, d) for p in PEERS for d in p.dtypes if p.name not in BUGS
         and (p.name, d) not in DIFFERENCES]


def judged(peer, dtype):
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    return peer_report(peer, dtype, seed=0)


@pytest.mark.slow                   # `hopref check` judges them too
@pytest.mark.parametrize("peer, dtype", RIGHT, ids=lambda x: getattr(x, "name", x))
def test_a_right_one_is_accepted(peer, dtype):
    report = judged(peer, dtype)
    assert report.verdict in ("conforms", "partial"), details(report)   # some have no options


@pytest.mark.parametrize("name", BUGS)
def test_a_wrong_one_fails_by_the_name_of_its_bug(name):
    peer = next(p for p in PEERS if p.name == name)
    for dtype in peer.dtypes:
        report = judged(peer, dtype)
        assert report.verdict == "fails" and BUGS[name] in report.named, details(report)


@pytest.mark.parametrize("name, dtype", DIFFERENCES)
def test_one_that_differs_has_its_finding(name, dtype):
    report = judged(next(p for p in PEERS if p.name == name), dtype)
    assert report.verdict == "fails", details(report)
    assert DIFFERENCES[name, dtype] in {f.name for f in report.findings}, details(report)
