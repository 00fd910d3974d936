"""The API pages, one a room, made from what `hopref` and its rooms say is public."""

import importlib
import inspect
from types import ModuleType

import hopref


def pages():
    """{file name: reStructuredText} of the index and of every room's page."""
    values = {name: getattr(hopref, name) for name in hopref.__all__}
    rooms = {name: room for name, room in values.items() if isinstance(room, ModuleType)}
    top = [name for name in values if name not in rooms]
    listed = "\n".join(f"   {name}" for name in ["toplevel", *rooms])
    index = _INDEX.format(rooms=listed)
    made = {"index.rst": index, "toplevel.rst": _page("hopref", "hopref", top, "The names that ``hopref`` itself exports.")}
    for name, room in rooms.items():
        words = (inspect.getdoc(room) or "").strip()
        made[f"{name}.rst"] = _page(name, f"hopref.{name}", getattr(room, "__all__", ()), words)
    return made


def _page(title, module, names, words):
    parts = [title, "=" * len(title), "", words, ""]
    home = importlib.import_module(module) if module == "hopref" else getattr(hopref, title)
    for name in names:
        value = getattr(home, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            directive = "autoclass" if inspect.isclass(value) else "autofunction"
            parts += [f".. {directive}:: {module}.{name}", ""]
        elif not isinstance(value, ModuleType):
            parts += [f".. py:data:: {module}.{name}", ""]
    return "\n".join(parts)


_INDEX = """\
API
===

Every function states one equation; operands come by position, everything else by keyword. All functions that state an
equation also take ``backend=`` (a path, see the :doc:`reading guide <../reading>`) and ``nonfinite=`` (``"raise"`` or
``"propagate"``).

.. toctree::
   :maxdepth: 1

{rooms}
"""
