"""Functions that types of arrays override: those marked are those that have another form."""
import sys
import types

from hopref.check.tolerance import expected, toleranced  # noqa: F401  expected imports all of them
from hopref.dispatch import overrides
from hopref.dispatch.operation import load


def test_the_functions_marked_overridable_are_those_that_toleranced_numbers_override():
    """Without the mark an implementation has no effect, and without one the mark has none."""
    load()
    mark = overrides.overridable(len).__code__
    marked = {f for name, module in list(sys.modules.items()) if name.startswith("hopref.")
              for f in vars(module).values()
              if isinstance(f, types.FunctionType) and f.__code__ is mark}
    overridden = {*toleranced.IMPLEMENTATIONS, *toleranced.ALTERNATIVES}
    present = {f for f in overridden if getattr(sys.modules[f.__module__], f.__name__) is f}
    assert present == overridden and marked == {f for f in overridden if not hasattr(f, "formula")}
