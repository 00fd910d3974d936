"""Options of the commands that read pictures, and the pictures that they choose."""
from typing import NamedTuple

__all__ = ["add_images", "add_preparation", "read_images", "default_normalisation",
           "checked_count", "refuse_unused", "Images"]

POLAR = ("classical", "dense")


def add_images(parser):
    """Add the options that choose the pictures."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", choices=["pictures"],
                        help="the 24 pictures distributed with hopref (the default)")
    source.add_argument("--images", metavar="DIR",
                        help="a directory of .png, .jpg, .pgm or .npy files of any size; they are "
                             "converted to grey, and the central square to 64x64")
    parser.add_argument("--patterns", type=int, metavar="N", help="use the first N (default: all)")


def add_preparation(parser, corruption):
    """Add the options that turn pictures into patterns and cues."""
    from hopref.data.prepare import NORMALISATIONS
    parser.add_argument("--normalise", choices=NORMALISATIONS, metavar="HOW",
                        help=f"one of {', '.join(NORMALISATIONS)}; cues are corrupted first and "
                             "normalised by their visible part (default: none; polar for "
                             "classical and dense)")
    parser.add_argument("--corrupt", default=corruption, metavar="HOW",
                        help="mask:SHARE hides the lower rows, noise:SIGMA adds noise, flip:SHARE "
                             f"flips signs (default: {corruption or 'the patterns themselves'})")
    parser.add_argument("--seed", type=int, default=0,
                        help="seed of the noise, the flips and the random features (default: 0)")


class Images(NamedTuple):
    """Grey levels (N, rows, columns), names, and sentences about what was read."""
    levels: object
    names: tuple
    notes: tuple = ()


def read_images(options):
    """The chosen pictures, as `Images`."""
    from hopref.data import picture_names, pictures
    from hopref.data.pictures import read_directory
    if options.images is None:
        return Images(pictures(options.patterns), picture_names(options.patterns))
    loaded = read_directory(options.images)
    n = checked_count(options.patterns, len(loaded.names)) or len(loaded.names)
    levels, names = loaded.images[:n], loaded.names[:n]
    return Images(levels, names, (_conversion(loaded.colour[:n], loaded.shapes[:n], levels.shape),
                                  *_duplicates(levels, names)))


def _conversion(colour, shapes, kept):
    """What was done to the pictures: "12 colour pictures: grey, cropped to 64x64"."""
    n, colours = len(colour), sum(colour)
    noun = "picture" if n == 1 else "pictures"
    what = f"{n} colour {noun}" if colours == n else f"{n} grey {noun}" if not colours \
        else f"{n} {noun}, {colours} in colour"
    cropped = any(rows != columns for rows, columns in shapes)
    resized = any(shape != kept[1:] for shape in shapes)
    size = f"{kept[1]}x{kept[2]}"
    done = ["grey"] * bool(colours) + [f"cropped to {size}" if cropped else f"resized to {size}"
                                       if resized else f"{size} as they are"]
    return f"{what}: {', '.join(done)}"


def _duplicates(levels, names):
    """Pictures that are equal, which no rule can tell apart."""
    first = {}
    pairs = [(names[first[key]], name) for i, name in enumerate(names)
             if first.setdefault(key := levels[i].tobytes(), i) != i]
    if pairs:
        shown = ", ".join(f"{b} = {a}" for a, b in pairs[:3])
        yield (f"{len(pairs)} of the pictures equal an earlier one ({shown}"
               f"{', ...' * (len(pairs) > 3)}): no rule can tell equal pictures apart")


def default_normalisation(rule):
    """The normalisation of a rule for which none is given."""
    return "polar" if rule in POLAR else "none"


def checked_count(n, available):
    """The value of ``--patterns``, refused if there are not that many."""
    from hopref.errors import DomainError
    if n is not None and not 1 <= n <= available:
        raise DomainError(f"--patterns must be from 1 to {available}, the number of pictures; "
                          f"got {n}.")
    return n


def refuse_unused(options, uses, rules):
    """Refuse an option that was given although none of the rules uses it.

    ``uses`` is {option: rules that use it}; the default of such an option is None.
    """
    from hopref.errors import DomainError
    for name, users in uses.items():
        if getattr(options, name) is not None and not set(users) & set(rules):
            raise DomainError(f"--{name.replace('_', '-')} must go with --rule "
                              f"{' or '.join(users)}; got --rule {','.join(rules)}.")
