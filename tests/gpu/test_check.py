"""`hopref gpu-check` from end to end, on the substitute for CuPy."""
import json

import pytest

from hopref.check import devices
from hopref.cli import main
from hopref.fast.cupy import _attend
from tests.doubles import cupy as double


@pytest.fixture(autouse=True)
def device(monkeypatch):
    monkeypatch.setattr(_attend, "FEW", 0)              # the kernels have tests of their own
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


def test_the_table_has_a_line_for_each_call(capsys):
    code, out = run(capsys, "--small", "--only", "speed")
    assert code == 0 and out.splitlines()[0] == "substitute"
    assert sum(line.startswith(("modern.", "attention.", "performer.", "product", "copy"))
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


def test_counts_of_operations_are_those_of_the_shapes():
    """Two products of matrices, of a multiplication and an addition each."""
    work = devices._retrieval(3, 5, 7)
    assert work.flops == 2 * (2 * 3 * 5 * 7) and work.bytes(4, 84) == 4 * (21 + 35) + 84
