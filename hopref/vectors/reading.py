"""Files of vectors, read without trust: nothing is executed, and sizes are limited.

A damaged or hostile file raises `VectorFileError` in one line, before memory is taken for what it
claims to hold.
"""
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hopref.errors import VectorFileError
from hopref.vectors.records import Row, row_from

__all__ = ["MOST_BYTES", "MOST_EXPANDED", "MOST_RATIO", "content_of", "expanded", "lines", "parsed",
           "rows_of"]

MOST_BYTES = 2**26          # of a file
MOST_EXPANDED = 2**28       # of its content
MOST_RATIO = 200            # of both; rows of vectors reach about 30
MOST_LINE = 2**20           # characters of a row
MOST_DIGITS = 20            # of an integer


def content_of(file: str | Path) -> bytes:
    """The bytes of a file of limited size."""
    path = Path(file)
    if path.stat().st_size > MOST_BYTES:
        raise VectorFileError(f"{path.name}: a file must have at most {MOST_BYTES} bytes; "
                              f"got {path.stat().st_size}")
    return path.read_bytes()


def expanded(content: bytes) -> bytes:
    """The content of a gzip file with one member, of limited size and ratio."""
    most = min(MOST_EXPANDED, MOST_RATIO * len(content) + MOST_LINE)
    stream = zlib.decompressobj(wbits=31)
    try:
        found = stream.decompress(content, most + 1)
    except zlib.error as error:
        raise VectorFileError(f"a compressed file must be intact; got {error}") from None
    if len(found) > most:
        raise VectorFileError(f"a compressed file must expand to at most {MOST_EXPANDED} bytes and "
                              f"{MOST_RATIO} times its size; got more")
    if not stream.eof or stream.unused_data:
        raise VectorFileError("a compressed file must be intact; got one that is truncated or has "
                              "more at its end")
    return found


def lines(content: bytes) -> list[bytes]:
    """The lines of a file of rows, which may be compressed."""
    plain = expanded(content) if content[:2] == b"\x1f\x8b" else content
    if plain and not plain.endswith(b"\n"):
        raise VectorFileError("the last line must end with a line feed; got a truncated file")
    return plain.split(b"\n")[:-1]


def rows_of(content: bytes, every: int = 1) -> Iterator[Row]:
    """The rows of a file, or one of every so many."""
    for number, line in enumerate(lines(content), 1):
        if (number - 1) % every:
            continue
        try:
            yield row_from(parsed(line))
        except VectorFileError as error:
            raise VectorFileError(f"line {number}: {error}") from None


def parsed(line: bytes) -> Any:
    """Strict JSON of limited length, without fractions, NaN, or keys given twice."""
    if len(line) > MOST_LINE:
        raise VectorFileError(f"a line must have at most {MOST_LINE} characters; got {len(line)}")
    try:
        text = line.decode("ascii")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number,
                          parse_float=_no_number, parse_int=_integer)
    except UnicodeDecodeError:
        raise VectorFileError("a line must be ASCII; got another byte") from None
    except json.JSONDecodeError as error:
        raise VectorFileError(f"a line must be JSON; got {error}") from None
    except RecursionError:
        raise VectorFileError("lists must not be nested deeply; got a line that is") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise VectorFileError("a key must be given once; got one that is repeated")
    return found


def _no_number(text: str) -> Any:
    raise VectorFileError(f"real numbers must be strings of hexadecimal floats; got {text[:30]}")


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise VectorFileError(f"an integer must have at most {MOST_DIGITS} digits; "
                              f"got {len(text)}")
    return int(text)
