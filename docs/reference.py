"""API pages, one for each public module, generated from ``__all__``."""

import importlib
import inspect
import re
from types import ModuleType

import hopref
from docs import certified

# Public modules that no ``__all__`` lists: they are imported by their full name.
FURTHER = ("distributed", "experiments", "experiments.recall", "vectors", "check.laws",
           "check.bugs", "check.peers.adapters", "check.cases.strategies")
GROUPS = {                      # heading of the index: first names of the modules in it
    "Models": (),               # those of hopref/models
    "Maps, features, learning rules and layers":
        ("maps", "features", "projections", "storage", "layers"),
    "Iteration, chunks and gradients": ("dynamics", "parts", "distributed", "gradients"),
    "Theory, experiments and data": ("theory", "experiments", "data"),
    "Certified values": ("certify", "vectors"),
    "Conformance kit": ("check",),
    "Errors": ("errors",),
}


def pages():
    """{file name: reStructuredText} of the index and of every module's page."""
    modules = public_modules()
    made = {"index.rst": _index(modules), "toplevel.rst": _page("hopref", "hopref", hopref, _TOP)}
    for name, module in modules.items():
        text = "\n".join(with_bars(inspect.getdoc(module).split("\n")))
        made[f"{name}.rst"] = _page(name, f"hopref.{name}", module, text)
    return made


def public_modules():
    """{name without ``hopref.``: module} of the public modules that define a name."""
    modules = dict(_modules("", hopref))
    modules |= {name: importlib.import_module(f"hopref.{name}") for name in FURTHER}
    return modules


def _modules(prefix, package):
    """The public modules of a package that define a name, and theirs in turn."""
    for name in package.__all__:
        module = getattr(package, name)
        if isinstance(module, ModuleType):
            if _defined(module):
                yield prefix + name, module
            yield from _modules(f"{prefix}{name}.", module)


def _defined(module):
    """The public names of a module that are no modules themselves."""
    return [k for k in module.__all__ if not isinstance(getattr(module, k), ModuleType)]


def _index(modules):
    """The index: the modules in groups, each with the first sentence of its docstring."""
    lines = [_INDEX]
    grouped = {name for names in GROUPS.values() for name in names}
    for heading, names in GROUPS.items():
        lines += [heading, "-" * len(heading), ""]
        for name, module in modules.items():
            first = name.partition(".")[0]
            if first in names or not names and first not in grouped:
                lines += [f":doc:`{name}`", f"    {first_sentence(module)}", ""]
    lines += [".. toctree::", "   :hidden:", "   :maxdepth: 1", ""]
    lines += [f"   {name}" for name in ["toplevel", *modules]]
    return "\n".join(lines) + "\n"


def first_sentence(module):
    """The first sentence of a module's docstring, without references to the catalogue."""
    paragraph = " ".join(inspect.getdoc(module).partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[^.]\.)\s", paragraph, maxsplit=1)[0].rstrip(":.")
    return "".join(with_bars([re.sub(r" \[[A-Z0-9, -]+\]", "", sentence)])) + "."


def _page(title, path, module, text):
    """A heading, the module's docstring, and the names that it exports under its public path."""
    parts, measured = [title, "=" * len(title), "", text, ""], certified.stored()
    for name in _defined(module):
        value = getattr(module, name)
        directive = "autoclass" if inspect.isclass(value) else \
            "autofunction" if inspect.isroutine(value) else "py:data"
        accuracy = certified.sentence(f"{title}.{name}", measured)
        parts += [f".. {directive}:: {path}.{name}", "", *[f"   {accuracy}", ""] * bool(accuracy)]
    return "\n".join(parts)


def with_bars(lines):
    """Lines of reStructuredText in which ``|x|`` is an absolute value, not a substitution."""
    block = example = None                       # indentation of the directive; whether a doctest
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and block is not None and indent <= block:
            block = None
        example = line.strip() and (example or line.lstrip().startswith(">>> "))
        if line.lstrip().startswith(".. "):
            block = indent
        verbatim = block is not None or example
        yield line if verbatim else re.sub(r"``.*?``|:math:`.*?`|(\|)", _bar, line)


def with_descriptions(lines):
    """Lines of a docstring whose entries ``name : description`` are in the form of numpydoc.

    Numpydoc takes the text after the colon for a type.  The description of a parameter or an
    attribute moves to the lines below its name, and the lines of a result become one.
    """
    lines, made, section = list(lines), [], None
    for i, line in enumerate(lines):
        heading = i + 1 < len(lines) and line and lines[i + 1] == "-" * len(line)
        section = line if heading else section
        entry = re.fullmatch(r"(\*{0,2}\w[\w, *]*?) : (.+)", line)
        if section in ("Parameters", "Attributes") and entry:
            made += [entry[1], f"    {entry[2]}"]
        elif section == "Returns" and line and made[-1] and not line.startswith((" ", "-")) \
                and not entry and not made[-1].startswith("-"):
            made[-1] += f" {line.strip()}"
        else:
            made.append(line)
    return made


def _bar(found):
    return "\N{DIVIDES}" if found[1] else found[0]       # as wide as a bar, for tables


_TOP = "Names that are exported by ``hopref`` itself."
_INDEX = """\
API
===

Operands are positional arguments, options are keyword arguments. Every operation also accepts
``backend=`` (a path, see the :doc:`reading guide <../reading>`) and ``nonfinite=``, which is
``"raise"`` or ``"propagate"``. :doc:`toplevel` lists the names of ``hopref`` itself.
"""
