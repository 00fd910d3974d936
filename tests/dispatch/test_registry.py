"""Which operations there are, and which have faster paths and parts: tables against modules."""
import importlib
import pkgutil

import pytest

import hopref
from hopref.dispatch import operation
from hopref.dispatch.paths import BACKENDS, function_of

OPS = operation.load()
TABLES = {backend: importlib.import_module(f"hopref.fast.{backend}") for backend in BACKENDS
          if importlib.util.find_spec(f"hopref.fast.{backend}")}
LISTED = [(backend, module) for backend, package in TABLES.items() for module in package.PATHS]


def public_functions(module):
    """The names of the functions that a module defines, compiled ones too."""
    return {name for name, value in vars(module).items() if not name.startswith("_")
            and callable(value) and getattr(value, "__module__", "") == module.__name__}


@pytest.mark.parametrize("backend", TABLES)
def test_the_table_of_a_backend_names_its_modules(backend):
    """And packages with functions of their own, as that of the features."""
    inside = f"{TABLES[backend].__name__}."
    found = {m.name.removeprefix(inside): m.ispkg
             for m in pkgutil.walk_packages(TABLES[backend].__path__, inside)}
    modules = {name for name, package in found.items() if not package and not name.startswith("_")}
    assert modules <= set(TABLES[backend].PATHS) <= set(found)


@pytest.mark.parametrize("backend, name", LISTED)
def test_the_table_of_a_backend_names_what_its_module_defines(backend, name):
    pytest.importorskip(BACKENDS[backend].package)
    module = importlib.import_module(f"hopref.fast.{backend}.{name}")
    listed = set(TABLES[backend].PATHS[name])
    assert public_functions(module) == set(module.__all__) == listed
    for function in listed:
        op = OPS[f"{name}.{function}"]
        assert backend in op.paths and function_of(op.name, backend) is getattr(module, function)


def test_a_public_function_that_is_not_listed_would_be_found():
    module = importlib.import_module("tests.dispatch.calling")
    assert {"run", "refused", "by_name"} <= public_functions(module)
    assert "calls" not in public_functions(module)              # imported


def test_every_file_of_models_is_public():
    models = importlib.import_module("hopref.models")
    found = {m.name for m in pkgutil.iter_modules(models.__path__) if not m.name.startswith("_")}
    assert found <= set(hopref.__all__)
    for name in found:
        assert getattr(hopref, name).__name__ == f"hopref.models.{name}"


@pytest.mark.parametrize("name, descent", [
    ("modern.update", "always"), ("classical.asynchronous_update", "under condition"),
    ("performer.update", "none"), ("gradients.modern.update", None), ("modern.energy", None)])
def test_an_update_lowers_an_energy_always_under_a_condition_or_not(name, descent):
    assert operation.descent_of(OPS[name]) == descent


DESCENTS = {             # the updates whose energy falls at every step, or under a condition
    "under condition": """
        classical.asynchronous_update classical.greedy_update classical.low_rank_update
        classical.update feature_memory.update graded.asynchronous_update graded.flow
        graded.update sparse.layer_norm_update sparse.normalized_update""",
    "always": """
        bam.forward classical.low_rank_asynchronous_update dense.asynchronous_update
        epanechnikov.update lagrangian.update modern.update sigmoid.update sinks.update
        sparse.k_subsets_update sparse.normmax_update sparse.update structured.top_k_update
        structured.update""",
}


@pytest.mark.parametrize("name", [name for names in DESCENTS.values() for name in names.split()])
def test_the_energy_of_a_listed_update_falls(name):
    energy, condition = OPS[name].lowers
    assert name in DESCENTS[operation.descent_of(OPS[name])] and OPS[energy.name] is energy
    assert (condition == "always") == (name in DESCENTS["always"].split())
