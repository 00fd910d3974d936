"""The API pages, one a module, made from what `hopref` and its modules declare public."""

import inspect
import re
from types import ModuleType

import hopref


def pages():
    """{file name: reStructuredText} of the index and of every module's page."""
    modules = dict(_modules("", hopref))
    listed = "\n".join(f"   {name}" for name in ["toplevel", *modules])
    made = {"index.rst": _INDEX.format(modules=listed),
            "toplevel.rst": _page("hopref", "hopref", hopref, _TOP)}
    for name, module in modules.items():
        words = "\n".join(with_bars(inspect.getdoc(module).split("\n")))
        made[f"{name}.rst"] = _page(name, f"hopref.{name}", module, words)
    return made


def _modules(prefix, package):
    """The public modules of a package that define something, and theirs in turn."""
    for name in package.__all__:
        module = getattr(package, name)
        if isinstance(module, ModuleType):
            if _defined(module):
                yield prefix + name, module
            yield from _modules(f"{prefix}{name}.", module)


def _defined(module):
    """The public names of a module that are no modules themselves."""
    return [k for k in module.__all__ if not isinstance(getattr(module, k), ModuleType)]


def _page(title, path, module, words):
    """A heading, the module's docstring, and what it exports under its public path."""
    parts = [title, "=" * len(title), "", words, ""]
    for name in _defined(module):
        value = getattr(module, name)
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

{modules}
"""
