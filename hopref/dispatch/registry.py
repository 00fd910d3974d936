"""The registry of operations, filled by importing the modules that declare them."""
import functools
import importlib
import pkgutil
from types import ModuleType
from typing import Any

__all__ = ["OPS", "load", "gradient_of", "descent_of"]

OPS: dict[str, Any] = {}            # every operation by its name, such as "modern.update"

# Modules and packages of hopref that declare no operation; some import optional packages.
NO_OPERATIONS = {"__main__", "certify", "check", "cli", "data", "distributed", "experiments",
                 "fast", "vectors"}


def load() -> dict[str, Any]:
    """Import every module that may declare operations, and return the registry."""
    _import_all()
    return OPS


def gradient_of(op: Any) -> Any:
    """The vector-Jacobian product of this operation, or None."""
    return load().get(f"gradients.{op.name}")


def descent_of(op: Any) -> str | None:
    """When an update lowers an energy: "always", "under condition", "none"; None for other ops."""
    module, _, name = op.name.rpartition(".")
    if op.lowers:
        return "always" if op.lowers[1] == "always" else "under condition"
    updates = name.endswith(("update", "flow")) and not module.startswith("gradients")
    return "none" if updates else None


@functools.cache
def _import_all() -> None:
    _import_below(importlib.import_module("hopref"))


def _import_below(package: ModuleType) -> None:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.split(".")[1] not in NO_OPERATIONS:
            module = importlib.import_module(found.name)
            if found.ispkg:
                _import_below(module)
