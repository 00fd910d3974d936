"""A function whose judge is incomplete, so that some of its mutants survive."""

__all__ = ["mean"]


def mean(x):
    """The mean of numbers; 0 of none."""
    return sum(x) / max(1, len(x))

