"""Access to functions of hopref by their dotted names, for comparison with candidates."""
import importlib
from operator import attrgetter

__all__ = ["own_function"]


def own_function(name):
    """The operation or function of hopref called ``name``, such as "parts.softmax.merge"."""
    return attrgetter(name)(importlib.import_module("hopref"))
