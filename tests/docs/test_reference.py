"""The API pages and the lists of models are complete."""
import importlib
import re
from pathlib import Path

import pytest

import hopref
from docs import mathjax, pages, reference
from hopref.dispatch.operation import load
from tests.groups import each

ROOT = Path(pages.__file__).parent.parent
MODELS = {name.partition(".")[0] for name, op in load().items()
          if op.__module__.startswith("hopref.models.")}
KIT = ("check", "check.laws", "check.bugs", "check.peers.adapters", "check.cases.strategies")
PAGES = reference.pages()


@pytest.mark.parametrize("page, heading", [
    ("README.md", "## In Python"), ("docs/reading.md", "## One idea"),
])
def test_a_list_of_models_names_every_model_of_the_registry(page, heading):
    text = (ROOT / page).read_text(encoding="utf-8").partition(heading)[2]
    section = re.split(r"^## ", text, maxsplit=1, flags=re.M)[0]
    assert MODELS and not MODELS - set(re.findall(r"`(\w+)`", section))


def test_every_model_and_public_module_has_an_api_page():
    public = {name for name in hopref.__all__ if inspect_module(name)}
    first = {name.partition(".")[0] for name in reference.public_modules()}
    assert MODELS <= set(reference.public_modules()) and public <= first
    assert {"experiments", "supports", "features.deterministic", *KIT} <= set(
        reference.public_modules())


def inspect_module(name):
    return type(getattr(hopref, name)) is type(hopref)


def test_the_index_lists_every_page_with_its_purpose():
    index = PAGES["index.rst"]
    for name, module in reference.public_modules().items():
        assert f":doc:`{name}`\n    {reference.first_sentence(module)}\n" in index
        assert f"   {name}\n" in index and len(reference.first_sentence(module).split()) > 1


@each("name", reference.public_modules())
def test_a_page_documents_every_public_name(name):
    module = importlib.import_module(reference.public_modules()[name].__name__)
    for public in module.__all__:
        value = getattr(module, public)
        assert type(value) is type(hopref) or f":: hopref.{name}.{public}\n" in PAGES[f"{name}.rst"]


def test_the_pages_for_contributors_are_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert "<adding>" in index and "<contributing>" in index


def test_descriptions_are_below_their_names_and_results_are_one_line():
    lines = ["Parameters", "----------", "a : (n,) an array of", "    numbers", "",
             "Returns", "-------", "their sum,", "or 0", ""]
    assert reference.with_descriptions(lines) == [
        "Parameters", "----------", "a", "    (n,) an array of", "    numbers", "",
        "Returns", "-------", "their sum, or 0", ""]


def test_bars_are_absolute_values_outside_code():
    assert list(reference.with_bars(["|x| and ``a|b``"])) == ["\u2223x\u2223 and ``a|b``"]


def test_mathjax_comes_from_the_docs_extra():
    assert "django-static-mathjax" in (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert mathjax.source() is None or mathjax.source().stat().st_size > 10**6
