"""A progress bar for anything over two seconds, on a terminal only."""
import sys
import time

__all__ = ["progress"]

PATIENCE = 2.0          # seconds of silence before a bar is worth showing


def progress(iterable, total=None, label=""):
    """Pass ``iterable`` through; after two seconds, tell a terminal how far it is.

    Nothing is ever written unless standard error is a terminal.  The bar is tqdm's where tqdm is
    installed, else one plain line.  Breaking out of the loop ends the bar.

    >>> from hopref.progress import progress
    >>> sum(progress(range(4)))
    6
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return iterable
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    try:
        from tqdm import tqdm
    except ImportError:
        return plain(iterable, total, label)
    return tqdm(iterable, total=total, desc=label or None, delay=PATIENCE, leave=False)


def plain(iterable, total, label):
    """What `progress` does without tqdm: one line, rewritten at most ten times a second."""
    began = told = time.monotonic()
    shown = False
    try:
        for done, item in enumerate(iterable):
            now = time.monotonic()
            if now - began >= PATIENCE and (not shown or now - told >= 0.1):
                shown, told = True, now
                of = f" of {total}" if total else ""
                sys.stderr.write(f"\r\x1b[K{label} {done}{of}, {now - began:.0f} s")
                sys.stderr.flush()
            yield item
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
