"""The API pages, one a room, made from what `hopref` and its rooms say is public."""

import inspect
import re
from types import ModuleType

import hopref


def pages():
    """{file name: reStructuredText} of the index and of every room's page."""
    values = {name: getattr(hopref, name) for name in hopref.__all__}
    rooms = {name: room for name, room in values.items() if isinstance(room, ModuleType)}
    top = [name for name in values if name not in rooms]
    rooms = {inner: room for name in rooms for inner, room in _rooms(name, rooms[name])}
    listed = "\n".join(f"   {name}" for name in ["toplevel", *rooms])
    made = {"index.rst": _INDEX.format(rooms=listed),
            "toplevel.rst": _page("hopref", "hopref", hopref, top, _TOP)}
    for name, room in rooms.items():
        words = "\n".join(with_bars(inspect.getdoc(room).split("\n")))
        made[f"{name}.rst"] = _page(name, f"hopref.{name}", room, room.__all__, words)
    return made


def _rooms(name, room):
    """A room, and the rooms within it."""
    within = {inner: getattr(room, inner) for inner in room.__all__}
    within = {k: v for k, v in within.items() if isinstance(v, ModuleType)}
    return within and [(f"{name}.{k}", v) for k, v in within.items()] or [(name, room)]


def _page(title, path, room, names, words):
    """A heading, the room's own words, and what it exports under its public path."""
    parts = [title, "=" * len(title), "", words, ""]
    for name in names:
        value = getattr(room, name)
        directive = "autoclass" if inspect.isclass(value) else \
            "autofunction" if inspect.isfunction(value) else "py:data"
        parts += [f".. {directive}:: {path}.{name}", ""]
    return "\n".join(parts)


def with_bars(lines):
    """Lines of reStructuredText in which ``|x|`` is an absolute value, not a substitution."""
    block = example = None                       # indentation of the directive above; in a doctest
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and block is not None and indent <= block:
            block = None
        example = line.strip() and (example or line.lstrip().startswith(">>> "))
        if line.lstrip().startswith(".. "):
            block = indent
        verbatim = block is not None or example
        yield line if verbatim else re.sub(r"``.*?``|:math:`.*?`|(\|)", _bar, line)


def _bar(found):
    return "\N{DIVIDES}" if found[1] else found[0]       # as wide as a bar, for tables


_TOP = "The names that ``hopref`` itself exports."
_INDEX = """\
API
===

Operands come by position, everything else by keyword. Every function that states an equation also
takes ``backend=`` (a path, see the :doc:`reading guide <../reading>`) and ``nonfinite=``, which is
``"raise"`` or ``"propagate"``.

.. toctree::
   :maxdepth: 1

{rooms}
"""
