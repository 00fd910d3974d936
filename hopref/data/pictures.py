"""Grey pictures: the 24 that ship with hopref, and those in a directory of the user's."""
import re
from importlib.resources import files
from pathlib import Path

import numpy as np

from hopref.errors import DomainError, DTypeError, ShapeError
from hopref.extras import require

__all__ = ["pictures", "picture_names", "load_images"]

LUMINANCE = (0.2125, 0.7154, 0.0721)        # of red, green and blue, ITU-R BT.709
SUFFIXES = (".jpeg", ".jpg", ".npy", ".pgm", ".png")
PGM = re.compile(rb"(P[25])" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")  # columns, rows, white


def pictures(n=None):
    """The first ``n`` of the 24 pictures, in alphabetical order: (n, 64, 64) grey levels, uint8.

    >>> from hopref.data import pictures
    >>> pictures(6).shape
    (6, 64, 64)
    """
    return _archive("images", n)


def picture_names(n=None):
    """The names of the first ``n`` pictures; LICENSES.txt beside them says where each is from.

    >>> from hopref.data import picture_names
    >>> picture_names(3)
    ('astronaut', 'brick', 'camera')
    """
    return tuple(map(str, _archive("names", n)))


def _archive(member, n):
    with (files("hopref.data") / "pictures.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)[member]
    whole = n is None or isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if not whole or n is not None and not 1 <= n <= len(stored):
        raise DomainError(f"hopref.data.pictures: n must be None or an integer from 1 to "
                          f"{len(stored)}; got n={n!r}.")
    return stored[:n]


def load_images(directory, *, size=64):
    """The pictures in ``directory``, by name: (images, names), images (N, size, size) uint8.

    Reads .png, .jpg, .jpeg (with matplotlib), .pgm and .npy.  Colour becomes luminance; the middle
    square is cut and averaged to ``size``.  An array is grey levels if it holds integers from 0 to
    255, and brightness from 0 to 1 if it holds floats.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise NotADirectoryError(f"hopref.data.load_images: directory must exist; "
                                 f"got {str(directory)!r}.")
    found = sorted(p for p in directory.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise DomainError(f"hopref.data.load_images: directory must hold pictures "
                          f"({' '.join(SUFFIXES)}); got {str(directory)!r} with none.")
    images = [_grey(_square(_brightness(_read(path), path), size)) for path in found]
    return np.stack(images), tuple(path.stem for path in found)


def _read(path):
    suffix = path.suffix.lower()
    if suffix == ".pgm":
        return read_pgm(path)
    try:
        if suffix == ".npy":
            return np.load(path, allow_pickle=False)
        return require("matplotlib.image", extra="plot", who="data.load_images").imread(path)
    except (OSError, SyntaxError, ValueError) as error:
        raise DomainError(f"hopref.data.load_images: {path.name} must be a readable {suffix} file; "
                          f"got {' '.join(str(error).split())}.") from None


def read_pgm(path):
    """A plain (P2) or raw (P5) portable greymap, as brightness from 0 to 1."""
    content = Path(path).read_bytes()
    try:
        if not (head := PGM.match(content)):
            raise ValueError("no such header")
        columns, rows, white = map(int, head.groups()[1:])
        if not 0 < white < 2**16:
            raise ValueError(f"{white} for white")
        if head[1] == b"P2":
            levels = np.array(content[head.end():].split()[:rows * columns], float)
        else:
            kind = ">u2" if white > 255 else "u1"
            levels = np.frombuffer(content, kind, rows * columns, head.end())
        return levels.reshape(rows, columns) / white
    except ValueError as error:
        raise DomainError(f"hopref.data.load_images: {Path(path).name} must be a greymap "
                          f"(P2 or P5); got {error}.") from None


def _brightness(image, path):
    """``image`` as luminance from 0 to 1."""
    who = f"hopref.data.load_images: {path.name}"
    if image.ndim not in (2, 3) or image.ndim == 3 and image.shape[2] not in (1, 3, 4):
        raise ShapeError(f"{who} must be (rows, columns) or (rows, columns, colours); "
                         f"got {image.shape}.")
    if 0 in image.shape:
        raise ShapeError(f"{who} must hold at least one pixel; got {image.shape}.")
    if image.dtype.kind not in "fiu":
        raise DTypeError(f"{who} must hold grey levels; got {image.dtype}.")
    white = 1.0 if image.dtype.kind == "f" else 255.0
    image = image / white
    if not (image.min() >= 0 and image.max() <= 1):
        raise DomainError(f"{who} must be integers from 0 to 255 or floats from 0 to 1; "
                          f"got {image.min() * white:g} to {image.max() * white:g}.")
    if image.ndim == 2:
        return image
    return image[..., 0] if image.shape[2] == 1 else image[..., :3] @ LUMINANCE


def _square(image, size):
    """The middle square, each new pixel the mean of the area it covers."""
    side = min(image.shape)
    top, left = ((n - side) // 2 for n in image.shape)
    mean = _area_means(side, size)
    return mean @ image[top:top + side, left:left + side] @ mean.T


def _area_means(side, size):
    """(size, side): row k holds the share of each old pixel in the k-th of ``size`` equal parts."""
    edge = np.arange(size + 1) * side / size
    old = np.arange(side)
    overlap = np.minimum(edge[1:, None], old + 1) - np.maximum(edge[:-1, None], old)
    return np.maximum(overlap, 0) * size / side


def _grey(brightness):
    return (255 * brightness).round().clip(0, 255).astype(np.uint8)
