"""Docstrings that are completed from declarations."""
import inspect
import re

import pytest

from hopref.dispatch.declaration import Declaration
from hopref.dispatch.documentation import completed, with_gradient
from hopref.dispatch.domains import Several, choice, flag, mask, positive, seed, state
from tests.dispatch.calling import OPS
from tests.groups import each

every_op = each("name", OPS)
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


def formula(xi, X, S=0.0, z=0.0, /, *, beta=1.0, ties="keep", functions=("a",), own=True):
    """A step.  Source: none [XX-1].

    .. math:: y

    Parameters
    ----------
    xi, X : (d) numbers, two of them
        and a second line
    own : bool, of its own

    Notes: one paragraph.

    Returns: (d) array, the result

    A later paragraph belongs to the notes.

    See Also
    --------
    other : something else

    >>> formula(1)
    2
    """


WRITTEN = """\
A step.  Source: none [XX-1].

.. math:: y

Parameters
----------
xi : (..., d), finite
    numbers, two of them
    and a second line
X : (n, d), finite
    numbers, two of them
    and a second line
S : (d,) or number, finite, default 0.0
    sum of the outer products of the features of earlier keys and their values
z : array or number, finite, default 0.0
    sum of the features of earlier keys
beta : a positive finite number, or an array (...) of them, default 1.0
    inverse temperature
ties : {"keep", "plus"}, default "keep"
    value at a field of 0
functions : tuple of {"keep", "plus"}, default ('a',)
    functions of the projections, by name or as Feature records
own : bool, default True
    bool, of its own

Returns
-------
(d) array, the result

See Also
--------
other : something else
hopref.modern.energy : the energy, which decreases at every step

Notes
-----
one paragraph.

A later paragraph belongs to the notes.

Examples
--------
>>> formula(1)
2
"""
TIES = choice(keep=1, plus=2)


def declared(function, shapes, **domains):
    function.__module__ = "hopref.models.toy"
    lowers = domains.pop("lowers", None)
    return Declaration(function, shapes, domains, lowers=lowers)


def test_a_docstring_is_completed_section_by_section():
    op = declared(formula, "(...,d),(n,d)->(...,d)", S=state("(d)"), z=state("()"), beta=positive,
                  ties=TIES, functions=Several(TIES), own=flag, lowers=OPS["modern.energy"])
    assert completed(op, formula.__doc__) == WRITTEN


@pytest.mark.parametrize("shapes, result", [
    ("(n)->()", "float"), ("(n)->(...)", "(...) array"), ("(n)->(n),(n,d)",
                                                         "tuple of arrays (n,), (n, d)")])
def test_results_without_a_description_have_their_shapes(shapes, result):
    def total(x, /, *, rng=0, mask=True, scale=None):
        """A sum."""

    op = declared(total, shapes, rng=seed, mask=mask("(n)"), scale=positive,
                  lowers=(OPS["modern.energy"], "W = W.T"))
    assert completed(op, total.__doc__) == (
        "A sum.\n\nParameters\n----------\nx : (n,), finite\n    vectors, one in each row\n"
        "rng : int, SeedSequence or Generator, default 0\n"
        "    seed or Generator of the random numbers\n"
        "mask : (n,), bool, default True\n    True where a key is visible\n"
        "scale : a positive finite number, default None\n"
        "    factor of the scores; None for 1/sqrt(d)\n\n"
        f"Returns\n-------\n{result}\n\n"
        "See Also\n--------\nhopref.modern.energy : the energy, which decreases where W = W.T\n")


@pytest.mark.parametrize("before, after", [
    ("A.\n\nSee Also\n--------\nx : y\n", "A.\n\nSee Also\n--------\n{}x : y\n"),
    ("A.\n\nNotes\n-----\nb\n", "A.\n\nSee Also\n--------\n{}\nNotes\n-----\nb\n"),
    ("A.\n", "A.\nSee Also\n--------\n{}\n")])
def test_the_gradient_of_a_rule_is_under_see_also(before, after):
    line = "hopref.gradients.a.b : vector-Jacobian product\n"
    assert with_gradient(before, "gradients.a.b") == after.format(line)
