"""Import of optional dependencies, with errors that name the extra to install."""
import importlib
from types import ModuleType

__all__ = ["require"]


def require(package: str, *, extra: str, caller: str) -> ModuleType:
    """Import an optional dependency.

    Parameters
    ----------
    package : name of the module
    extra : extra of hopref that installs it
    caller : function that requires it, for the message

    Returns
    -------
    the module

    Raises
    ------
    ImportError : with the command that installs the package

    >>> from hopref.extras import require
    >>> require("math", extra="plot", caller="data.load_images").sqrt(9.0)
    3.0
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ImportError(f"hopref.{caller}: {missing} must be installed "
                          f"(python -m pip install \"hopref[{extra}]\"); "
                          f"got no package {missing}.", name=missing) from None
