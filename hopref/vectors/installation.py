"""A test of an installation: every operation against some of its golden vectors."""
from hopref.dispatch.operation import load
from hopref.errors import DomainError
from hopref.vectors.judging import Judgement, judge
from hopref.vectors.packaged import operations, rows

__all__ = ["selfcheck"]


def selfcheck(every: int = 40) -> Judgement:
    """Compare hopref's formulas with the golden vectors that it contains, in seconds.

    Parameters
    ----------
    every : int >= 1; one of so many rows of each operation is taken, 1 for all rows

    Returns
    -------
    Judgement, of which ``conforms`` is True on a sound installation

    >>> import hopref
    >>> hopref.selfcheck(400).conforms
    True
    """
    if type(every) is not int or every < 1:
        raise DomainError(f"hopref.selfcheck: every must be an integer >= 1; got {every!r}.")
    found = Judgement()
    for name in operations():
        found.add(judge(load()[name], rows(name, every)))
    return found
