"""hopref's own functions by their dotted names, as candidates are compared with them."""
import importlib
from operator import attrgetter

__all__ = ["own_function"]


def own_function(name):
    """The operation or function of hopref called ``name``, such as "parts.softmax.merge"."""
    return attrgetter(name)(importlib.import_module("hopref"))
