"""The vectors that the package contains: a manifest, and a compressed file for each operation."""
import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hopref.dispatch.operation import load
from hopref.errors import PluginError, VectorFileError, naming
from hopref.vectors.reading import content_of, rows_of
from hopref.vectors.records import Row

__all__ = ["FOLDER", "SCHEMA", "file_of", "manifest", "operations", "read", "row", "rows"]

FOLDER = Path(__file__).parent / "data"
SCHEMA = "hopref.vectors/1"


def file_of(op: str) -> str:
    """The name of the file of an operation."""
    return f"{op}.jsonl.gz"


@functools.cache
def manifest() -> dict[str, Any]:
    """The manifest: version of the format, files with their sha256, and flags with their bugs."""
    try:
        found = json.loads(content_of(FOLDER / "manifest.json"))
        names, schema = set(found["files"]), found["schema"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise VectorFileError("hopref.vectors: manifest.json must be the manifest of vectors; "
                              f"got {str(error)[:80]}.") from None
    if schema != SCHEMA or not names <= load().keys():
        raise VectorFileError(f"hopref.vectors: manifest.json must be of {SCHEMA} and name "
                              f"operations; got {repr(schema)[:40]}.")
    return dict(found)


def operations() -> list[str]:
    """The names of the operations that have vectors."""
    return list(manifest()["files"])


def rows(op: str, every: int = 1) -> Iterator[Row]:
    """The rows of an operation, or one of every so many.

    Raises
    ------
    PluginError : the operation has no vectors
    VectorFileError : the file is not the one of the manifest
    """
    if op not in manifest()["files"]:
        raise PluginError("hopref.vectors: op must be an operation with vectors; "
                          f"got {repr(op)[:60]}.")
    content = content_of(FOLDER / file_of(op))
    if hashlib.sha256(content).hexdigest() != manifest()["files"][op]["sha256"]:
        raise VectorFileError(f"hopref.vectors: {file_of(op)} must have the sha256 of the "
                              "manifest; got another.")
    return read(content, every)


def read(content: bytes, every: int = 1) -> Iterator[Row]:
    """The rows of the content of a file."""
    with naming("hopref.vectors"):
        yield from rows_of(content, every)


def row(name: str) -> Row:
    """The row with this id."""
    op, _, number = name.rpartition("/")
    found = next((r for r in rows(op) if r.id == name), None) if re.fullmatch(r"\d+", number) \
        else None
    if found is None:
        raise PluginError(f"hopref.vectors: ID must be the id of a row; got {repr(name)[:60]}.")
    return found
