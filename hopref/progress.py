"""Progress bar for loops that take longer than two seconds, shown on terminals only."""
import sys
import time

__all__ = ["progress"]

DELAY = 2.0             # seconds before a bar appears
INTERVAL = 0.1          # seconds between two changes of the line


def progress(iterable, total=None, label=""):
    """Iterate over ``iterable`` with a progress bar, which appears after two seconds.

    Nothing is written unless standard error is a terminal.  The bar is that of tqdm if tqdm is
    installed, otherwise one line of text.  The bar is removed when the loop ends or breaks.

    Parameters
    ----------
    iterable : the items of the loop
    total : number of items (default: ``len(iterable)``, if defined)
    label : text before the bar

    Returns
    -------
    an iterable over the same items

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
        return text_progress(iterable, total, label)
    return tqdm(iterable, total=total, desc=label or None, delay=DELAY, leave=False)


def text_progress(iterable, total, label):
    """Progress without tqdm: one line, rewritten at most every `INTERVAL`."""
    began = last = time.monotonic()
    shown = False
    try:
        for done, item in enumerate(iterable):
            now = time.monotonic()
            if now - began >= DELAY and (not shown or now - last >= INTERVAL):
                shown, last = True, now
                count = f"{done} of {total}" if total else f"{done}"
                sys.stderr.write(f"\r\x1b[K{label} {count}, {now - began:.0f} s")
                sys.stderr.flush()
            yield item
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
