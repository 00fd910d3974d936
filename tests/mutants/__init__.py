"""Wrong on purpose: what real implementations got wrong, each a few lines long.

``@mutant("modern.update")`` above a function says whose place it takes.  The laws that must break
name it in their ``kills``; ``test_mutants`` holds them to that.  ``python -m tests.mutants`` prints
who is killed by which law, with the first witness.
"""
from collections.abc import Callable
from typing import NamedTuple

MUTANTS = {}


class Mutant(NamedTuple):
    name: str
    op: str
    function: Callable

    @property
    def bug(self):
        """What is wrong with it, in its own words."""
        return self.function.__doc__.strip().removesuffix(".")


def mutant(op):
    """Declare the function below a wrong version of ``op``."""
    def declare(function):
        assert function.__name__ not in MUTANTS, f"two mutants are called {function.__name__}"
        MUTANTS[function.__name__] = Mutant(function.__name__, op, function)
        return function
    return declare
