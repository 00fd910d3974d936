"""MathJax for the built pages, from a Python package, so that formulas are shown without a network.

The ``docs`` extra installs the package (django-static-mathjax, a copy of MathJax without Django).
One file is copied into ``_static``: input TeX with all its extensions, output SVG without fonts.
"""
import importlib.util
import shutil
from pathlib import Path

__all__ = ["FILE", "source", "copy"]

FILE = "tex-svg-full.js"


def source():
    """The file in the installed package; None if the package is not installed."""
    package = importlib.util.find_spec("mathjax")
    for folder in getattr(package, "submodule_search_locations", None) or ():
        file = Path(folder) / "static" / "mathjax" / "es5" / FILE
        if file.is_file():
            return file
    return None


def copy(app):
    """Copy the file into the built pages."""
    if app.builder.format == "html" and source():
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source(), static / FILE)
