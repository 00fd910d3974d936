"""The ledger is whole: each equation of the blog has a function, a law and a test."""
import doctest
import operator
from types import SimpleNamespace

import pytest

import hopref
from docs import ledger
from docs.catalogue import CATALOGUE, FAMILIES
from hopref.dispatch.operation import load
from tests.groups import each

OPS = load()
LAWS = ledger.every_law()
ENTRIES = list(ledger.entries(ledger.stated(OPS), LAWS, ledger.anchors()))
ROWS = ledger.rows(OPS, LAWS)


@each("row", ROWS, ids=[f"eq{row.equation}" for row in ROWS])
def test_an_equation_has_functions_that_keep_laws(row):
    assert not ledger.gaps(row)


@each("entry", ENTRIES, ids=CATALOGUE)
def test_a_line_of_the_catalogue_has_functions_laws_and_a_page(entry):
    assert not ledger.lacks(entry)


def test_what_a_line_of_the_catalogue_lacks_is_named():
    law = ledger.Law("test_x", ("modern.update",), "MH-2", "tests/test_x.py")
    whole = {entry.id: entry for entry in
             ledger.entries({"modern.update": ["MH-2"]}, [law], {"MH-2": "models/modern.md"})}
    assert ledger.lacks(whole["MH-2"]) == []
    assert ledger.lacks(whole["MH-1"]) == [
        f"MH-1, Energy, has no {what}" for what in (
            "function (step 1, the formula)", "law (step 2, the laws)",
            "anchor on a page (step 4, the page)")]


def test_no_line_of_a_family_is_missing():
    gaps = {family: sorted(lines) for family, (_, lines) in FAMILIES.items()
            if sorted(lines) != list(range(1, len(lines) + 1))}
    assert not gaps


def test_ids_that_are_named_are_in_the_catalogue():
    named = {line for law in LAWS for line in law.ids} | set(ledger.anchors())
    by_operations = {line for ids in ledger.stated(OPS).values() for line in ids}
    assert not named - by_operations - set(CATALOGUE)       # of operations: tests/test_rules.py


def shown_at_work(name, words):
    """Whether the docstring's examples call the function, and show what comes out."""
    examples = doctest.DocTestParser().get_examples(words or "")
    called = any(f"{name.rpartition('.')[2]}(" in example.source for example in examples)
    return called and any(example.want for example in examples)


@each("name", OPS)
def test_a_function_names_its_source_and_is_shown_at_work(name):
    assert OPS[name].source and OPS[name].ids and shown_at_work(name, OPS[name].__doc__)


def test_an_example_that_shows_nothing_is_found():
    assert shown_at_work("modern.update", ">>> modern.update(xi, X)\narray([1.0])\n")
    assert not shown_at_work("modern.update", ">>> modern.update(xi, X)\n")
    assert not shown_at_work("modern.update", ">>> modern.energy(xi, X)\n2.0\n")


def test_laws_speak_of_functions_that_exist():
    spoken_of = {name for law in LAWS for name in law.ops} - set(OPS)
    assert all(callable(operator.attrgetter(name)(hopref)) for name in spoken_of
               if not name.startswith("estimators."))       # kernel estimators of others


def test_the_page_names_every_function_and_law():
    page = ledger.page()
    assert all(f"### {name}\n" in page for name in OPS)
    assert all(law.sentence in page for law in LAWS if set(law.ops) & set(OPS))


@pytest.mark.parametrize("source, equations", [
    ("Ramsauer et al. 2021, eq. (3); blog eq. (21) [MH-2].", [21]),
    ("blog eqs. (2), (4) [CB-2].", [2, 4]),
    ("blog eqs. (8)-(13), there derived by CCCP [CC-2].", [8, 9, 10, 11, 12, 13]),
    ("blog eqs. (1) and (2), signal against crosstalk [CB-9].", [1, 2]),
    ("Choromanski et al. 2021, eq. (4) [AT-2].", []),
])
def test_equation_numbers_are_read_from_a_source_line(source, equations):
    assert ledger.blog_equations(source) == equations


def test_a_test_of_the_theory_is_a_law_of_what_it_calls():
    text = "def test_x(X):\n    assert theory.separation(X) > theory.dominant_pattern(X, X)\n" \
        "x = theory.y()\n@law('theory.y')\ndef test_y(rules):\n    assert theory.y()\n"
    law, = ledger.theory_tests(text, "tests/theory/test_x.py")
    assert law.ops == ("theory.separation", "theory.dominant_pattern") and law.sentence == "x"


def test_missing_functions_and_laws_are_named():
    op = SimpleNamespace(name="modern.update", source="blog eq. (21) [MH-2].")
    law = SimpleNamespace(name="test_x", ops=("modern.update",))
    whole = {row.equation: row for row in ledger.rows({op.name: op}, [law], {})}
    assert ledger.gaps(whole[21]) == []
    assert ledger.gaps(whole[22]) == ["blog eq. (22) has no function"]
    lawless = {row.equation: row for row in ledger.rows({op.name: op}, [], {})}
    assert ledger.gaps(lawless[21]) == ["modern.update, blog eq. (21), has no law"]
