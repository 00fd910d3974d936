"""Tests of many values in few items: an item of pytest costs more than a test of one value.

``@each("name", OPS)`` stands for ``@pytest.mark.parametrize("name", OPS)``.  A run that selects
tests by ``-k``, or by an identifier in brackets, has an item for each value.
"""
import inspect
import zlib

import pytest

__all__ = ["each"]

SIZE = 24               # values in an item
SINGLY = False          # whether each value has an item of its own; tests/conftest.py sets it


def each(names, values, ids=None, size=SIZE, share=1):
    """Call a test for each value, and report all that fail.

    Fixtures are shared by the values of an item: what a test sets, it sets for each value.
    A test whose ``share`` is 3 has a third of its values in items without the mark `slow`; which
    third that is depends on its name, so that each operation is in those of some tests.

    Parameters
    ----------
    names, values, ids : as of ``pytest.mark.parametrize``
    size : int, number of values in an item
    share : int, every how many values one is not `slow`
    """
    values = list(values)
    if SINGLY:
        return pytest.mark.parametrize(names, values, ids=ids)
    names = [name.strip() for name in names.split(",")]

    def declare(test):
        def every(group, **fixtures):
            failures, skipped = [], []
            for value in group:
                given = dict(zip(names, value if len(names) > 1 else [value], strict=True))
                try:
                    test(**given, **fixtures)
                except pytest.skip.Exception as reason:
                    skipped.append(reason)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"with {', '.join(map(described, given.values()))}")
                    failures.append(error)
            if failures:
                raise failures[0] if len(failures) == 1 else BaseExceptionGroup(
                    f"{len(failures)} of {len(group)} values", failures)
            if skipped:
                assert len(skipped) == len(group), f"skipped for some values only: {skipped}"
                raise skipped[0]

        parameters = inspect.signature(test).parameters.values()
        for name in ("__name__", "__doc__", "__module__"):
            setattr(every, name, getattr(test, name))
        every.__signature__ = inspect.Signature(
            [inspect.Parameter("group", inspect.Parameter.POSITIONAL_OR_KEYWORD),
             *(p for p in parameters if p.name not in names)])
        first = zlib.crc32(test.__name__.encode()) % share
        rest = [value for i, value in enumerate(values) if i % share != first]
        groups = [pytest.param(group, id=f"{i * size}-")
                  for i, group in enumerate(in_groups(values[first::share]))]
        groups += [pytest.param(group, id=f"slow {i * size}-", marks=pytest.mark.slow)
                   for i, group in enumerate(in_groups(rest))]
        return pytest.mark.parametrize("group", groups)(every)

    def in_groups(values):
        return [values[i:i + size] for i in range(0, len(values), size)]

    def described(value):
        return ids(value) if callable(ids) else repr(value)
    return declare
