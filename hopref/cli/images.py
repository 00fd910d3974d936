"""Options of the commands that read pictures, and the pictures that they choose."""

__all__ = ["add_images", "add_preparation", "read_images", "default_normalisation", "checked_count"]


def add_images(parser):
    """Add the options that choose the pictures."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", choices=["pictures"],
                        help="the 24 pictures distributed with hopref (the default)")
    source.add_argument("--images", metavar="DIR",
                        help="a directory of .png, .jpg, .pgm or .npy files of any size")
    parser.add_argument("--patterns", type=int, metavar="N", help="use the first N (default: all)")


def add_preparation(parser, corruption):
    """Add the options that turn pictures into patterns and cues."""
    from hopref.data.prepare import NORMALISATIONS
    parser.add_argument("--normalise", choices=NORMALISATIONS, metavar="HOW",
                        help=f"one of {', '.join(NORMALISATIONS)}; cues are corrupted first and "
                             "normalised by their visible part (default: none; polar for "
                             "classical)")
    parser.add_argument("--corrupt", default=corruption, metavar="HOW",
                        help="mask:SHARE hides the lower rows, noise:SIGMA adds noise, flip:SHARE "
                             f"flips signs (default: {corruption or 'the patterns themselves'})")
    parser.add_argument("--seed", type=int, default=0,
                        help="seed of the noise, the flips and the random features (default: 0)")


def read_images(options):
    """Grey levels (N, rows, columns) of the chosen pictures, and their names."""
    from hopref.data import load_images, picture_names, pictures
    if not options.images:
        return pictures(options.patterns), picture_names(options.patterns)
    images, names = load_images(options.images)
    return images[:checked_count(options.patterns, len(images))], names[:options.patterns]


def default_normalisation(rule):
    """The normalisation of a rule for which none is given."""
    return "polar" if rule == "classical" else "none"


def checked_count(n, available):
    """The value of ``--patterns``, refused if there are not that many."""
    from hopref.errors import DomainError
    if n is not None and not 1 <= n <= available:
        raise DomainError(f"--patterns must be from 1 to {available}, the number of pictures; "
                          f"got {n}.")
    return n
