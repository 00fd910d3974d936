"""hopref: ground truth for Hopfield networks and Performer attention.

>>> from hopref import modern
>>> modern.update([2.0, 0.0], [[1.0, 0.0], [-1.0, 0.0]], beta=50.0)
array([1., 0.])
"""
import importlib
import pkgutil
from pathlib import Path

from hopref._version import __version__

memory_limit = None     # bytes that one array of a formula may take; None: half of the memory

# A file of models is public because it is there; type checkers read __init__.pyi.
_MODELS = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent / "models")])]
_HOME = {
    **{name: f"hopref.models.{name}" for name in _MODELS if not name.startswith("_")},
    **{name: f"hopref.{name}"
       for name in ("maps", "storage", "features", "projections", "layers", "gradients",
                    "dynamics", "parts", "theory", "errors", "check", "certify", "data")},
}
_FROM = {
    "retrieve": "hopref.dynamics", "use_backend": "hopref.dispatch.paths",
    "HoprefError": "hopref.errors", "selfcheck": "hopref.vectors.installation",
    "show_versions": "hopref.versions",
}
__all__ = [*_HOME, *_FROM, "memory_limit", "__version__"]


def __getattr__(name):
    """Modules and functions are imported when first asked for."""
    if name in _HOME:
        value = importlib.import_module(_HOME[name])
    elif name in _FROM:
        value = getattr(importlib.import_module(_FROM[name]), name)
    else:
        raise AttributeError(f"module 'hopref' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
