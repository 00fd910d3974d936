"""Damaged and hostile files are refused in one line, before memory is taken for them."""
import gzip
import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from hopref.errors import VectorFileError
from hopref.vectors import packaged
from hopref.vectors.export import arrays_of, members
from hopref.vectors.reading import (
    MOST_BYTES,
    MOST_LINE,
    content_of,
    expanded,
    parsed,
    rows_of,
)
from hopref.vectors.records import NUMBER, Row, line_of, row_from, shortened

REAL = {"dtype": "float64", "shape": [2], "data": ["0x1p+0", "-0x1.8p-1"]}
CONTENT = {
    "id": "modern.update/0", "op": "modern.update", "case": "by hand", "flags": ["beta-ignored"],
    "dtype": "float64", "args": {"xi": REAL, "X": {**REAL, "shape": [1, 2]}},
    "params": {"beta": {"dtype": "float64", "value": "0x1p-1"}},
    "results": [{"dtype": "float64", "shape": [2], "value": REAL["data"], "bound": ["0x0p+0"] * 2,
                 "tolerance": ["0x1p-50", "inf"]}], "method": "exact", "limit": False}
MISSING = object()


def changed(path, value):
    """The content of the row above with one part replaced, added or removed."""
    content = json.loads(json.dumps(CONTENT))
    *places, last = path
    part = content
    for k in places:
        part = part[k]
    if value is MISSING:
        del part[last]
    else:
        part[last] = value
    return content


def message_of(attack, *args):
    """The message of a refusal, which is one line."""
    with pytest.raises(VectorFileError) as refused:
        result = attack(*args)
        list(result)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    return str(refused.value)


def test_a_row_is_read_as_it_was_written():
    row = row_from(CONTENT)
    assert isinstance(row, Row) and row.args["X"].shape == (1, 2) and row.params["beta"] == 0.5
    assert row.args["xi"].tolist() == [1.0, -0.75]
    assert json.loads(line_of(row)) == CONTENT


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -1.5, 5e-324, 2.0**-1022, 1.7976931348623157e308,
                               0.1, 1 / 3, 2.0**-1060, float("inf"), -float("inf"), float("nan")])
def test_shortened_floats_are_exact(x):
    text = shortened(x)
    assert np.float64(float.fromhex(text)).tobytes() == np.float64(x).tobytes()
    assert NUMBER.fullmatch(text) and len(text) <= len(x.hex())


@pytest.mark.parametrize("path, value, why", [
    (("id",), MISSING, "a row must be an object with"),
    (("more",), 1, "a row must be an object with"),
    (("args", "xi", "more"), 1, "args.xi must be an object with"),
    (("results", 0, "more"), 1, "a result must be an object with"),
    (("op",), "os.system", "op must be an operation"),
    (("op",), ["modern.update"], "op must be an operation"),
    (("id",), "sparse.update/0", "id must be text of the required form"),
    (("id",), "modern.update/../../etc", "id must be"),
    (("case",), "two\nlines", "case must be"),
    (("case",), "x" * 201, "case must be"),
    (("flags",), ["Not A Flag"], "flags must be"),
    (("flags",), "beta-ignored", "flags must be a list"),
    (("args", "__class__!"), REAL, "args must be text of the required form"),
    (("dtype",), "bfloat16", "dtype must be one of"),
    (("args", "xi", "dtype"), "object", "args.xi must be one of"),
    (("args", "xi", "dtype"), "O", "args.xi must be one of"),
    (("args", "xi", "shape"), [3], "args.xi must be 3 numbers"),
    (("args", "xi", "shape"), [-2], "the shape of args.xi must be small"),
    (("args", "xi", "shape"), [2.0], "the shape of args.xi must be small"),
    (("args", "xi", "shape"), [10**18, 10**18], "the shape of args.xi must be small"),
    (("args", "xi", "shape"), [20000, 20000], "the shape of args.xi must be small"),
    (("args", "xi", "shape"), [1] * 40, "the shape of args.xi must be small"),
    (("args", "xi", "shape"), "22", "args.xi must be a list"),
    (("args", "xi", "data", 0), 1, "args.xi must be text of the required form"),
    (("args", "xi", "data", 0), "1.0", "args.xi must be"),
    (("args", "xi", "data", 0), "0x1p+9999", "args.xi must be in the range of float64"),
    (("args", "xi", "data", 0), "0x1.123456789abcdefp+0", "args.xi must be"),
    (("args", "xi", "data", 0), "NaN", "args.xi must be"),
    (("params", "beta", "dtype"), "pickle", "params.beta must be one of"),
    (("params", "beta", "value"), True, "params.beta must be"),
    (("params", "beta"), {"dtype": "int64", "value": 2**63}, "an integer of 64 bits"),
    (("params", "beta"), {"dtype": "int64", "value": True}, "an integer of 64 bits"),
    (("results",), [], "results must be a list"),
    (("results",), [CONTENT["results"][0]] * 2, "results must be those of the operation"),
    (("results", 0, "bound", 0), "-0x1p+0", "bound and tolerance must be nonnegative"),
    (("results", 0, "bound", 0), "nan", "bound and tolerance must be nonnegative"),
    (("method",), "by hand", "method must be one of"),
    (("limit",), 0, "limit must be true or false"),
])
def test_a_row_of_another_form_is_refused(path, value, why):
    assert why in message_of(lambda: [row_from(changed(path, value))])


@pytest.mark.parametrize("dtype, text", [("float32", "0x1.0000001p+0"), ("float32", "0x1p+128"),
                                         ("float16", "0x1.001p+0"), ("float16", "-0x1p+16")])
def test_a_number_that_a_format_does_not_hold_is_refused(dtype, text):
    array = {"dtype": dtype, "shape": [1], "data": [text]}
    assert f"numbers of {dtype}" in message_of(lambda: [row_from(changed(("args", "xi"), array))])


@pytest.mark.parametrize("line, why", [
    (b'{"a":NaN}', "real numbers must be strings"),
    (b'{"a":-Infinity}', "real numbers must be strings"),
    (b'{"a":1.5}', "real numbers must be strings"),
    (b'{"a":1e400}', "real numbers must be strings"),
    (b'{"a":1,"a":2}', "a key must be given once"),
    (b'{"a":' + b"1" * 21 + b"}", "at most 20 digits"),
    (b"[" * 100000 + b"]" * 100000, "nested deeply"),
    (b'{"a":' * 100000 + b"1" + b"}" * 100000, "nested deeply"),
    (b'"' + b"x" * MOST_LINE + b'"', "at most 1048576 characters"),
    (b'{"a": "\xc3\xa9"}', "must be ASCII"),
    (b'{"a"', "must be JSON"),
    (b"", "must be JSON"),
    (b"cos\nsystem\n(S'true'\ntR.", "must be JSON"),
])
def test_json_that_is_not_strict_is_refused(line, why):
    assert why in message_of(parsed, line)


def test_the_line_is_named():
    good = json.dumps(CONTENT).encode()
    assert "line 2: a line must be JSON" in message_of(rows_of, good + b"\n{\n")


def test_a_bomb_is_refused_without_its_memory():
    bomb = gzip.compress(b" " * 2**26)
    tracemalloc.start()
    assert "200 times its size" in message_of(expanded, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25


@pytest.mark.parametrize("damage, why", [
    (lambda c: c[:-9], "truncated"),
    (lambda c: c[:20], "truncated"),
    (lambda c: c + b"more", "more at its end"),
    (lambda c: c + c, "more at its end"),
    (lambda c: c[:-6] + bytes([c[-6] ^ 1]) + c[-5:], "intact"),
    (lambda c: c[:30] + bytes(8) + c[38:], "must be intact"),
])
def test_a_damaged_compressed_file_is_refused(damage, why):
    content = gzip.compress("".join(f'{{"a":{i**3}}}\n' for i in range(99)).encode())
    assert why in message_of(rows_of, damage(content))


def test_a_file_without_its_last_line_feed_is_refused():
    assert "truncated" in message_of(rows_of, json.dumps(CONTENT).encode())


def test_a_large_file_is_refused_by_its_size(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "at most" in message_of(content_of, tmp_path / "large")


def archive(compression=zipfile.ZIP_DEFLATED, **entries):
    """An .npz file with these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return stream.getvalue()


def array_file(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def header(text):
    """A member with this header and no numbers."""
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


def test_arrays_are_read_as_they_were_written():
    rows = [row_from(CONTENT)]
    stream = io.BytesIO()
    np.savez_compressed(stream, **members(rows))
    found = arrays_of(stream.getvalue())
    assert found["0.args.X"].tolist() == [[1.0, -0.75]] and found["ids"].tolist() == [rows[0].id]


@pytest.mark.parametrize("entries, why", [
    ({"../a.npy": b""}, "names of letters"),
    ({"/etc/a.npy": b""}, "names of letters"),
    ({"a.pkl": b""}, "names of letters"),
    ({"a.npy": array_file(np.array([print], object), allow_pickle=True)}, "must hold as many"),
    ({"a.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**18,)}")},
     "must be an array"),
    ({"a.npy": header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**18},)}}")},
     "must hold as many"),
    ({"a.npy": header("__import__('os').system('true')")}, "must be an array"),
    ({"a.npy": b"\x80\x04N."}, "must be an array"),
    ({"a.npy": array_file(np.zeros(10**6))}, "200 times its size"),
])
def test_a_hostile_archive_is_refused(entries, why):
    assert why in message_of(arrays_of, archive(**entries))


def test_a_compression_of_unlimited_memory_is_refused():
    content = archive(zipfile.ZIP_LZMA, **{"a.npy": array_file(np.zeros(9))})
    assert "stored or deflated" in message_of(arrays_of, content)


def test_a_damaged_archive_is_refused():
    content = archive(**{"a.npy": array_file(np.arange(99.0) ** 3)})
    assert "intact" in message_of(arrays_of, content[:-30])
    assert "intact" in message_of(arrays_of, content[:80] + bytes(9) + content[89:])
    with pytest.warns(UserWarning, match="Duplicate"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as file:
            file.writestr("a.npy", array_file(np.zeros(1)))
            file.writestr("a.npy", array_file(np.zeros(2)))
    assert "each once" in message_of(arrays_of, stream.getvalue())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in the place of the packaged one."""
    monkeypatch.setattr(packaged, "FOLDER", tmp_path)
    packaged.manifest.cache_clear()
    yield tmp_path
    packaged.manifest.cache_clear()


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"schema": "hopref.vectors/2", "files": {}}', "[" * 10**5,
    '{"schema": "hopref.vectors/1", "files": {"../../etc/passwd": {}}}'])
def test_another_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    assert "manifest.json must be" in message_of(packaged.manifest)


def test_a_file_with_another_sha256_is_refused(folder):
    entry = {"sha256": "0" * 64, "rows": 1, "invalid": 0}
    (folder / "manifest.json").write_text(json.dumps(
        {"schema": packaged.SCHEMA, "files": {"modern.update": entry}}))
    (folder / "modern.update.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    assert "must have the sha256" in message_of(packaged.rows, "modern.update")
