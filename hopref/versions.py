"""Versions of hopref, Python and the packages that hopref uses."""
import json
import platform
from importlib import metadata

from hopref._version import __version__

__all__ = ["versions", "show_versions"]

PACKAGES = ("numpy", "scipy", "numba", "cupy-cuda12x", "cupy-cuda13x", "matplotlib",
            "scikit-learn", "torch", "jax", "entmax", "performer-pytorch")


def versions():
    """Versions of hopref, Python and the packages that hopref uses; None if not installed."""
    return {"hopref": __version__, "python": platform.python_version(),
            "platform": platform.platform(), **{p: _version(p) for p in PACKAGES}}


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def show_versions(as_json=False):
    """Print the versions of hopref and its dependencies, for bug reports.

    Parameters
    ----------
    as_json : whether to print JSON instead of lines

    >>> import hopref
    >>> hopref.show_versions()          # doctest: +ELLIPSIS
    hopref ...
    """
    found = versions()
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(f"{name:18s} {version or 'not installed'}"
                        for name, version in found.items()))
