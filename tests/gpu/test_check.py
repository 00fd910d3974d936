"""`hopref gpu-check` from end to end, on the substitute for CuPy."""
import json
import sys
from types import SimpleNamespace

import pytest

from hopref.check import devices
from hopref.cli import main
from hopref.dispatch.operation import load
from tests.doubles import cupy as double
from tests.gpu.comparison import draw
from tests.rounding import close, within


@pytest.fixture(autouse=True)
def device(in_tiles, by_products):
    with double.installed() as cupy:
        yield cupy


def run(capsys, *words):
    code = main(["gpu-check", *words])
    return code, capsys.readouterr().out


def test_accuracy_and_speed_are_written_as_json(capsys):
    code, out = run(capsys, "--small", "--like", "modern.weights", "--json")
    record = json.loads(out)
    assert code == 0 and record["schema"] == "hopref.gpu-check/1"
    assert record["device"] == "substitute" and "numpy" in record["versions"]
    assert [(r["op"], r["dtype"], r["verdict"]) for r in record["accuracy"]] == [
        ("modern.weights", "float32", "conforms"), ("modern.weights", "float64", "conforms")]
    assert all(0 < r["error_in_bounds"] <= 1 for r in record["accuracy"])
    assert len(record["ceilings"]) == 4 and len(record["speed"]) == 2 * len(devices.SMALL)
    for r in record["speed"]:
        assert r["milliseconds"] > 0 and r["tflops"] > 0 and r["gb_per_second"] > 0
        assert r["fraction"] > 0 and r["bound"] in ("product", "copy")


def test_the_table_has_a_line_for_each_call(capsys):
    code, out = run(capsys, "--small", "--only", "speed")
    assert code == 0 and out.splitlines()[0] == "substitute"
    assert sum(line.startswith(("modern.", "attention.", "features.", "performer.", "product",
                                "copy"))
               for line in out.splitlines()) == 4 + 2 * len(devices.SMALL)


def test_a_path_that_fails_gives_the_exit_code_1(capsys, monkeypatch):
    from hopref.fast.cupy import modern
    right = modern._weights
    monkeypatch.setattr(modern, "_weights", lambda tiles: right(tiles) * 1.01)
    code, out = run(capsys, "--like", "modern.weights", "--only", "accuracy")
    assert code == 1 and "fails" in out


@pytest.mark.parametrize("json_too", [False, True])
@pytest.mark.parametrize("broken, message", [
    ("count", "CuPy finds no device"), ("error", "no sum can be computed on a device: OSError"),
    ("wrong", "a sum on the device is 0.0")])
def test_without_a_device_there_is_one_line_and_the_exit_code_1(broken, message, json_too, capsys,
                                                                monkeypatch, device):
    def fail(*args):
        raise OSError("no driver")
    if broken == "count":
        monkeypatch.setattr(device.cuda.runtime, "getDeviceCount", lambda: 0)
    else:
        replaced = fail if broken == "error" else lambda a: device.zeros(())
        monkeypatch.setattr(device, "sum", replaced, raising=False)
    code, out = run(capsys, *["--json"] * json_too)
    assert code == 1 and message in (json.loads(out)["reason"] if json_too else out)
    assert json_too or len(out.splitlines()) == 1


def test_a_fraction_is_the_least_time_that_the_ceilings_allow_over_the_time(monkeypatch, device):
    """2 (2 3 5 7) operations at 2 TFLOP/s, against 4 (21 + 35 + 21) bytes at 1 GB/s, in 4 us."""
    monkeypatch.setattr(devices, "_seconds", lambda cupy, call: 4e-6)
    work = devices._retrieval(3, 5, 7)
    for product, copy, fraction, by in ((2.0, 1.0, 308e-9 / 4e-6, "copy"),
                                        (1e-4, 1.0, 4.2e-6 / 4e-6, "product"),
                                        (None, None, 0.0, "product")):
        limits = [{"op": "product", "dtype": "float32", "tflops": product},
                  {"op": "copy", "dtype": "float32", "gb_per_second": copy}]
        record, = devices.speed(device, limits, [work], ["float32"])
        assert record["bound"] == by
        close(record["fraction"], fraction, 4 * 2.0**-53 * fraction)         # four roundings


class Torch:
    """What `devices` uses of torch; the arrays stay those of the substitute."""

    def __init__(self, present):
        self.cuda = SimpleNamespace(is_available=lambda: present)
        self.nn = SimpleNamespace(functional=self)

    def from_dlpack(self, a):
        return a

    def scaled_dot_product_attention(self, Q, K, V):
        return load()["attention.softmax_attention"](Q, K, V)


@pytest.mark.parametrize("present", [True, False])
def test_attention_is_followed_by_that_of_torch_where_it_has_a_device(present, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", Torch(present))
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: name == "torch")
    code, out = run(capsys, "--small", "--only", "speed", "--json")
    names = [r["op"] for r in json.loads(out)["speed"]]
    assert code == 0 and names.count("attention.softmax_attention") == 2
    assert names.count("torch: scaled_dot_product_attention") == 2 * present
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    assert devices.fused_attention() is None


def test_that_of_torch_computes_the_same(monkeypatch):
    """On the processor, with the real library; the ceilings need no device here."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    arrays = draw((2, 5, 4), (2, 9, 4), (2, 9, 4), dtype="float64")
    got = devices.fused_attention()(arrays)().numpy()
    within(got, load()["attention.softmax_attention"], *arrays)


def test_counts_of_operations_are_those_of_the_shapes():
    """Two products of matrices, of a multiplication and an addition each."""
    work = devices._retrieval(3, 5, 7)
    assert work.flops == 2 * (2 * 3 * 5 * 7) and work.bytes(4, 84) == 4 * (21 + 35) + 84
