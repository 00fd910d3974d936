"""Rows as files: JSON lines, or arrays by name in one .npz file; and the verification of a file."""
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hopref.errors import PluginError, VectorFileError
from hopref.vectors.packaged import operations, rows
from hopref.vectors.reading import MOST_EXPANDED, MOST_RATIO, content_of, rows_of
from hopref.vectors.records import Row, line_of

__all__ = ["arrays_of", "json_lines", "members", "verified", "write_npz"]

MOST_MEMBERS = 10**6
MOST_HEADER = 1000
MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,150}\.npy")
IDS = "ids"


def json_lines(found: Iterable[Row]) -> str:
    """The rows as JSON lines."""
    return "".join(f"{line_of(row)}\n" for row in found)


def members(found: Iterable[Row]) -> dict[str, np.ndarray]:
    """The rows as arrays: ``0.args.xi`` of the first row, ``0.value.0`` its first result, ..."""
    found = list(found)
    arrays = {IDS: np.array([row.id for row in found])}
    for name, words in (("flags", [" ".join(row.flags) for row in found]),
                        ("errors", [row.error for row in found])):
        arrays[name] = np.array(words)
    for i, row in enumerate(found):
        for kind, given in (("args", row.args), ("params", row.params)):
            arrays |= {f"{i}.{kind}.{k}": np.asarray(v) for k, v in given.items()}
        for j, result in enumerate(row.results):
            arrays |= {f"{i}.{k}.{j}": v for k, v in vars(result).items()}
    return arrays


def write_npz(file: str | Path, found: Iterable[Row]) -> None:
    """Write rows as a compressed .npz file."""
    arrays: dict[str, Any] = members(found)
    with open(file, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def verified(file: str | Path) -> tuple[int, list[str]]:
    """The number of rows of a file, and the ids of those that differ from the packaged ones.

    Raises
    ------
    VectorFileError : the file is damaged or does not hold rows
    """
    content = content_of(file)
    if content[:2] == b"PK":
        return _verified_arrays(arrays_of(content))
    found = list(rows_of(content))
    known = _known(row.id for row in found)
    return len(found), [row.id for row in found
                        if row.id not in known or line_of(known[row.id]) != line_of(row)]


def _verified_arrays(arrays: dict[str, np.ndarray]) -> tuple[int, list[str]]:
    """The number of rows of an .npz file, and the ids of those that differ."""
    if IDS not in arrays or arrays[IDS].ndim != 1 or arrays[IDS].dtype.kind != "U":
        raise VectorFileError("an .npz file of vectors must have a list of ids; got none")
    ids = [str(name) for name in arrays[IDS]]
    known = _known(ids)
    wrong = [name for name in ids if name not in known]
    if wrong:
        return len(ids), wrong
    right = members(known[name] for name in ids)
    for k in sorted(right.keys() | arrays.keys()):
        if k not in right or k not in arrays or not _identical(right[k], arrays[k]):
            number = k.partition(".")[0]
            wrong.append(ids[int(number)] if number.isdigit() and int(number) < len(ids) else k)
    return len(ids), list(dict.fromkeys(wrong))


def _identical(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _known(ids: Iterable[str]) -> dict[str, Row]:
    """The packaged rows of the operations of these ids, by id."""
    named = sorted({name.rpartition("/")[0] for name in ids})
    if unknown := [op for op in named if op not in operations()]:
        raise PluginError(f"ids must begin with an operation that has vectors; got {unknown[0]!r}")
    return {row.id: row for op in named for row in rows(op)}


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an .npz file: of plain numbers, with names and sizes that are verified."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _hold_entries(entries, len(content))
            return {e.filename.removesuffix(".npy"): _array(e, archive.read(e)) for e in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, RuntimeError, zlib.error) as error:
        raise VectorFileError(f"an .npz file must be intact; got {error}") from None


def _hold_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    names = [e.filename for e in entries]
    if len(names) > MOST_MEMBERS or len(set(names)) < len(names) \
            or not all(MEMBER.fullmatch(name) for name in names):
        raise VectorFileError("an .npz file must hold arrays with names of letters, digits, dots "
                              "and underscores, each once; got others")
    if not {e.compress_type for e in entries} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise VectorFileError("an .npz file must be stored or deflated; got another compression")
    expanded = sum(e.file_size for e in entries)
    if expanded > min(MOST_EXPANDED, MOST_RATIO * size):
        raise VectorFileError(f"an .npz file must expand to at most {MOST_EXPANDED} bytes and "
                              f"{MOST_RATIO} times its size; got {expanded}")


def _array(entry: zipfile.ZipInfo, content: bytes) -> np.ndarray:
    """The array of one member, of which the header agrees with the size."""
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(
            stream, max_header_size=MOST_HEADER)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise VectorFileError(f"{entry.filename} must be an array; got {str(error)[:60]!r}") \
            from None
    rest = content[stream.tell():]
    if dtype.kind not in "fciubU" or dtype.hasobject \
            or len(rest) != dtype.itemsize * math.prod(shape):
        raise VectorFileError(f"{entry.filename} must hold as many plain numbers as its header "
                              f"names; got {dtype} of shape {str(shape)[:40]}")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")
