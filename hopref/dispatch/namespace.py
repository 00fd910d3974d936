"""The array-API namespace of an array, and whether its values are in host memory."""
import sys
from typing import Any

import numpy as np

__all__ = ["namespace", "on_host"]

CPU = 1     # DLPack's device type for ordinary memory


def namespace(x: Any) -> Any:
    """The module whose functions take ``x``: numpy, cupy, or any array-API namespace."""
    if isinstance(x, (np.ndarray, np.generic)):
        return np
    if type(x).__module__.partition(".")[0] == "cupy":
        return sys.modules["cupy"]      # its arrays have no __array_namespace__
    return x.__array_namespace__()


def on_host(x: Any) -> bool:
    """Whether reading a value of ``x`` requires no copy from a device."""
    return isinstance(x, (np.ndarray, np.generic)) or bool(x.__dlpack_device__()[0] == CPU)
