"""Packages that only some commands need: import them late, and name the extra that brings them."""
import importlib
from types import ModuleType

__all__ = ["require"]


def require(package: str, *, extra: str, who: str) -> ModuleType:
    """The module ``package``, or an ImportError that says what to type.

    >>> from hopref.extras import require
    >>> require("math", extra="plot", who="data.load_images").sqrt(9.0)
    3.0
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ImportError(f"hopref.{who}: {missing} must be installed "
                          f"(python -m pip install \"hopref[{extra}]\"); "
                          f"got no package {missing}.", name=missing) from None
