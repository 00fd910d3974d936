"""Every public function documents its parameters and its result in numpydoc sections."""
import ast
import importlib
import inspect
import re
import textwrap
from types import ModuleType

import hopref
from hopref.parts import KINDS
from tests.groups import each

# The kinds of parts implement one interface, which the docstring of `hopref.parts` defines.
INTERFACES = {f"hopref.parts.{kind}" for kind in KINDS}


def public_modules():
    """`hopref`, the modules that it exports, and the modules that these export in turn."""
    waiting, found = [hopref, *(importlib.import_module(f"hopref.{name}")
                                for name in ("distributed", "experiments"))], {}
    while waiting:
        module = waiting.pop()
        if module.__name__ not in found.keys() | INTERFACES:
            found[module.__name__] = module
            waiting += [m for m in exports(module).values() if isinstance(m, ModuleType)]
    return found


def exports(module):
    """The objects in ``__all__`` of a module."""
    return {name: getattr(module, name) for name in getattr(module, "__all__", ())}


def public_functions():
    """Public functions by their full names."""
    return {f"{module}.{name}": f for module, found in public_modules().items()
            for name, f in exports(found).items()
            if callable(f) and not inspect.isclass(f) and not isinstance(f, ModuleType)}


def missing_sections(function):
    """The sections that the docstring of a function should have and has not."""
    formula = inspect.unwrap(function)
    needed = ["Parameters"] * bool(inspect.signature(formula).parameters)
    needed += ["Returns"] * has_result(formula)
    doc = inspect.getdoc(function) or ""
    return [name for name in needed if not re.search(rf"^{name}\n-{{{len(name)}}}$", doc, re.M)]


def has_result(function):
    """Whether the body of a function returns a value or yields."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Yield) or isinstance(node, ast.Return) and node.value
               for node in ast.walk(tree))


FUNCTIONS = public_functions()


@each("name", FUNCTIONS)
def test_a_public_function_documents_its_parameters_and_its_result(name):
    missing = missing_sections(FUNCTIONS[name])
    assert not missing, f"{name} has no section {' and no '.join(missing)}"


def test_modules_and_functions_of_every_kind_are_found():
    assert {"hopref.theory.jacobian", "hopref.gradients.modern.update", "hopref.parts.merge",
            "hopref.features.deterministic.elu", "hopref.use_backend", "hopref.check.law",
            "hopref.experiments.reproduce", "hopref.distributed.apply"} <= FUNCTIONS.keys()


def test_a_function_without_sections_is_reported():
    def undocumented(x):
        """Return x."""
        return x

    def silent():
        """Return nothing."""
    assert missing_sections(undocumented) == ["Parameters", "Returns"]
    assert missing_sections(silent) == []
