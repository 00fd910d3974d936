"""Docstrings that are completed from declarations."""
import inspect
import re

import pytest

from hopref.dispatch.documentation import completed
from tests.dispatch.calling import OPS

every_op = pytest.mark.parametrize("name", OPS)
ENTRY = re.compile(r"^(\w+) : \S[^\n]*\n((?: {4}\S[^\n]*\n?)*)", re.M)


def described(doc):
    """{parameter: description} of the Parameters section of a docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", doc, re.M | re.S)
    return {} if section is None else dict(ENTRY.findall(section[1]))


@every_op
def test_every_parameter_has_a_type_and_a_description(name):
    descriptions = described(OPS[name].__doc__)
    assert list(descriptions) == list(inspect.signature(OPS[name].formula).parameters)
    lacking = [parameter for parameter, text in descriptions.items() if not text.strip()]
    assert not lacking, f"{name}: describe {lacking}, or add them to MEANINGS"


def test_a_parameter_without_a_description_is_found():
    assert described("Sum.\n\nParameters\n----------\nx : (n,)\ny : (n,)\n    vector\n") == {
        "x": "", "y": "    vector\n"}


@pytest.mark.parametrize("section", ["Parameters", "Returns"])
def test_a_section_that_the_declaration_determines_is_added(section):
    op = OPS["modern.update"]
    assert f"\n{section}\n---" in op.__doc__
    assert f"\n{section}\n---" not in inspect.getdoc(op.__wrapped__)
    assert completed(op, None) is None
