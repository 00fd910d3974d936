"""Each module with operations is complete: each step of CONTRIBUTING has been taken."""
import inspect
import re

import pytest

from docs import ledger
from docs.catalogue import CATALOGUE
from hopref.check.bugs import load as load_bugs
from hopref.check.laws import load as load_laws
from hopref.dispatch.operation import descent_of, load

OPS = load()
MODULES = sorted({op.__module__ for op in OPS.values()})
EXPLAINED = {name for law in ledger.every_law() for name in law.ops}


def lacks(module):
    """The sentences that say what a model's operations lack, with the step that supplies it."""
    ops = [op for op in OPS.values() if op.__module__ == module]
    in_kit = {name for law in load_laws().values() for name in law.subjects}
    judged = in_kit | EXPLAINED
    broken = {bug.subject for bug in load_bugs().values()}
    for op in ops:
        text = inspect.getdoc(op.__wrapped__) or ""
        if descent_of(op) == "none" and not re.search(r"\benergy\b", text):
            yield f"{op.name} lowers no energy and does not say so (step 1, the formula)"
        for line in set(op.ids) - set(CATALOGUE):
            yield f"{op.name}: {line} is in no file of docs/catalogue.d (step 5, the catalogue)"
        if op.name not in judged:
            yield f"{op.name} satisfies no law (step 2, the laws)"
        elif op.name not in in_kit | broken:
            yield f"{op.name} has neither a law nor a bug in the kit (steps 2 and 3)"
    if ".models." in module and not any(op.name in broken for op in ops):
        yield f"{module} has no bug (step 3, the bugs)"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_complete(module):
    missing = list(lacks(module))
    assert not missing, "\n".join(missing)
