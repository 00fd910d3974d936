"""A third of the cases of each operation, for tests of what commands judge in all cases."""
from hopref.check.cases.generator import cases
from hopref.dispatch.operation import load

__all__ = ["third"]

PLACES = {name: place for place, name in enumerate(load())}


def third(op, *args, **kwargs):
    """As `cases`; neighbouring operations have different thirds, so that each family is judged."""
    return cases(op, *args, **kwargs)[PLACES[op.name] % 3::3]
