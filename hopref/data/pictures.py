"""Grey pictures: the 24 distributed with hopref, and those of a directory."""
import os
import re
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import Scalar, count
from hopref.errors import DomainError, DTypeError, ShapeError, naming
from hopref.extras import require

__all__ = ["pictures", "picture_names", "load_images"]

LUMINANCE = (0.2125, 0.7154, 0.0721)        # of red, green and blue, ITU-R BT.709
SUFFIXES = (".jpeg", ".jpg", ".npy", ".pgm", ".png")
PGM = re.compile(rb"(P[25])" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")  # columns, rows, white


def pictures(n: int | None = None) -> np.ndarray:
    """Return the first ``n`` of the 24 pictures, in alphabetical order.

    Parameters
    ----------
    n : number of pictures (default: all)

    Returns
    -------
    (n, 64, 64) grey levels, uint8

    >>> from hopref.data import pictures
    >>> pictures(6).shape
    (6, 64, 64)
    """
    return _archive("images", n)


def picture_names(n: int | None = None) -> tuple[str, ...]:
    """Return the names of the first ``n`` pictures.

    The source of each picture is given in ``hopref/data/LICENSES.txt``.

    Parameters
    ----------
    n : number of pictures (default: all)

    Returns
    -------
    the names, in alphabetical order

    >>> from hopref.data import picture_names
    >>> picture_names(3)
    ('astronaut', 'brick', 'camera')
    """
    return tuple(map(str, _archive("names", n)))


def _archive(member: str, n: Any) -> Any:
    with (files("hopref.data") / "pictures.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)[member]
    if n is None:
        return stored
    some = Scalar(f"None or an integer from 1 to {len(stored)}",
                  lambda v: 1 <= v <= len(stored), int)
    with naming("hopref.data.pictures"):
        return stored[:some.validate("n", n)]


def load_images(directory: str | os.PathLike[str], *, size: int = 64
                ) -> tuple[np.ndarray, tuple[str, ...]]:
    """Load the pictures of a directory in the order of their names, with img2 before img10.

    The formats are .png, .jpg and .jpeg (which require matplotlib), .pgm and .npy.  Colours are
    converted to luminance, and the central square is resampled by area averages.  Integer arrays
    hold grey levels from 0 to 255, floating-point arrays brightness from 0 to 1.

    Parameters
    ----------
    directory : path of the directory
    size : number of rows and columns of the result

    Returns
    -------
    images : (N, size, size) grey levels, uint8
    names : the file names, without suffix unless two of them then were equal
    """
    return read_directory(directory, size)[:2]


class Loaded(NamedTuple):
    """Pictures of a directory, with what they were before their conversion."""
    images: np.ndarray              # (N, size, size) grey levels
    names: tuple[str, ...]
    colour: tuple[bool, ...]        # whether a picture had colours
    shapes: tuple[tuple[int, ...], ...]     # rows and columns of the files


def read_directory(directory: str | os.PathLike[str], size: int = 64) -> Loaded:
    """The pictures of a directory as `load_images` returns them, and what they were."""
    with naming("hopref.data.load_images"):
        size = count.validate("size", size)
        found = _files(directory)
        images, colour, shapes = [], [], []
        for path in found:
            image = _valid(_read(path), path.name)
            colour.append(bool(image.ndim == 3 and (image[..., :3] != image[..., :1]).any()))
            shapes.append(image.shape[:2])
            images.append(_grey(_square(_luminance(image), size)))
    return Loaded(np.stack(images), _names(found), tuple(colour), tuple(shapes))


def _names(found: list[Path]) -> tuple[str, ...]:
    stems = [path.stem for path in found]
    return tuple(path.stem if stems.count(path.stem) == 1 else path.name for path in found)


def _files(directory: Any) -> list[Path]:
    """The picture files of a directory in natural order."""
    if not isinstance(directory, (str, os.PathLike)):
        raise DTypeError(f"directory must be a path; got directory={directory!r}")
    folder = Path(directory)
    if not folder.is_dir():
        raise NotADirectoryError(f"hopref.data.load_images: directory must exist; "
                                 f"got {str(folder)!r}.")
    found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.is_dir()]
    if not found:
        raise DomainError(f"directory must hold pictures ({' '.join(SUFFIXES)}); "
                          f"got {str(folder)!r} with none")
    return sorted(found, key=_natural)


def _natural(path: Path) -> Any:
    """Sort key of a path: numbers in its name count by their size, capital letters as small."""
    words = re.split(r"([0-9]+)", path.name.casefold())
    return [int(word) if i % 2 else word for i, word in enumerate(words)], path.name


def _read(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".pgm":
        return read_pgm(path)
    if suffix == ".npy":
        return read_array(path)
    try:
        return require("matplotlib.image", extra="plot", caller="data.load_images").imread(path)
    except PermissionError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise DomainError(f"{path.name} must be a readable {suffix} file; "
                          f"got {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """The message of an error as one line, without objects and their addresses in memory."""
    return re.sub(r"<[^>]* at 0x[^>]*>", "another format", " ".join(str(error).split()))


def read_array(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the array of an .npy file."""
    name = Path(path).name
    try:
        with open(path, "rb") as file:
            stored = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        cause = "objects" if "Object arrays" in str(error) \
            else "other content" if "pickle" in str(error) else _cause(error)
        raise DomainError(f"{name} must be an array saved by numpy.save; "
                          f"got {cause}") from None
    if not isinstance(stored, np.ndarray):
        held = ", ".join(stored.files) or "no arrays"
        raise DomainError(f"{name} must hold one array, saved by numpy.save; "
                          f"got an archive of {held}")
    return stored


def read_pgm(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a portable greymap, text (P2) or binary (P5), as brightness from 0 to 1."""
    path = Path(path)
    content = path.read_bytes()
    try:
        if not (head := PGM.match(content)):
            raise ValueError("another header")
        columns, rows, white = map(int, head.groups()[1:])
        if not 0 < white < 2**16:
            raise ValueError(f"{white} for white")
        if head[1] == b"P2":
            levels = np.array(content[head.end():].split()[:rows * columns], float)
        else:
            levels = np.frombuffer(content, ">u2" if white > 255 else "u1", rows * columns,
                                   head.end())
        return levels.reshape(rows, columns) / white
    except ValueError as error:
        raise DomainError(f"{path.name} must be a greymap (P2 or P5); got {error}") from None


def _valid(image: Any, name: str) -> Any:
    """The brightness of an image, from 0 to 1, with its colours."""
    if image.ndim not in (2, 3) or image.ndim == 3 and image.shape[2] not in (1, 3, 4):
        raise ShapeError(f"{name} must be (rows, columns) or (rows, columns, colours); "
                         f"got {image.shape}")
    if 0 in image.shape:
        raise ShapeError(f"{name} must hold at least one pixel; got {image.shape}")
    if image.dtype.kind not in "fiu":
        raise DTypeError(f"{name} must hold grey levels; got {image.dtype}")
    white = 1.0 if image.dtype.kind == "f" else 255.0
    image = image / white
    if not (image.min() >= 0 and image.max() <= 1):
        raise DomainError(f"{name} must be integers from 0 to 255 or floats from 0 to 1; "
                          f"got {image.min() * white:g} to {image.max() * white:g}")
    return image


def _luminance(image: Any) -> Any:
    if image.ndim == 2:
        return image
    return image[..., 0] if image.shape[2] == 1 else image[..., :3] @ LUMINANCE


def _square(image: Any, size: int) -> Any:
    """The central square of an image, resampled by area averages."""
    side = min(image.shape)
    top, left = ((n - side) // 2 for n in image.shape)
    mean = _area_means(side, size)
    return mean @ image[top:top + side, left:left + side] @ mean.T


def _area_means(side: int, size: int) -> np.ndarray:
    """Matrix (size, side) of the weights of the old pixels in each new pixel."""
    edge = np.arange(size + 1) * side / size
    old = np.arange(side)
    overlap = np.minimum(edge[1:, None], old + 1) - np.maximum(edge[:-1, None], old)
    return np.maximum(overlap, 0) * size / side


def _grey(brightness: Any) -> Any:
    return (255 * brightness).round().clip(0, 255).astype(np.uint8)
