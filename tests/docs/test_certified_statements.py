"""The statements that certified values decide: margins, tables, and every entry with a number."""
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from flint import arb  # noqa: E402

from docs.certified_statements import (  # noqa: E402
    Statement,
    appendices,
    certified_margin,
    errata,
    row,
    table,
)
from tests.docs import test_errata  # noqa: E402

STATEMENTS = [*errata.STATEMENTS, *appendices.STATEMENTS]
ROWS = {it: row(it) for it in STATEMENTS}
# Entries about shapes, signs, names or exact integers, whose code on the page is exact, and three
# about random draws.
WITHOUT_NUMBERS = {
    "Eq. (2): the sign of zero", "Eq. (2): binary states", "Eq. (5): one update restores the image",
    "Eq. (10): a strictly increasing function whose derivative is zero at a point",
    "Eq. (16): the keys are not transposed", "Eq. (17): the shape of V",
    "Eq. (18): when it is the classical update",
    "Eq. (20): thresholding makes the weights asymmetric", "Eq. (23): the prime on the left",
    "Eq. (24): the threshold has another sign", "A figure that is shown twice",
    "Cycles of antisymmetric networks", "A condition that must be strict",
    "The kernel of simplex features", "An orthogonal matrix that is not Haar",
    "Rotations whose two axes are equal", "Scores normalised along an axis of length one"}


@pytest.mark.parametrize("it", STATEMENTS, ids=lambda it: f"{it.about}, {it.claim}")
def test_a_claim_holds_with_a_certified_margin(it):
    assert certified_margin(it) > 0


def test_the_page_has_the_tables_of_the_statements():
    lines = test_errata.TEXT.splitlines()
    assert [line for line in lines if line in ROWS.values()] == list(ROWS.values())
    assert table(errata.STATEMENTS, "entry").splitlines()[0] in lines


def test_every_entry_with_a_number_has_a_statement():
    entries = set(test_errata.entries(test_errata.TEXT))
    assert {it.about for it in errata.STATEMENTS} | WITHOUT_NUMBERS >= entries
    assert {it.about for it in errata.STATEMENTS} <= entries
    assert not {it.about for it in errata.STATEMENTS} & WITHOUT_NUMBERS


def test_at_least_ten_further_statements_of_the_papers_are_decided():
    assert len(appendices.STATEMENTS) >= 10


def test_a_margin_that_is_negative_or_unknown_is_no_proof():
    third = arb(1) / 3
    for margin in (lambda: third - arb("0.34"), lambda: third - third, lambda: arb.nan()):
        assert not certified_margin(Statement("", "", "confirmed", margin)) > 0


def test_a_margin_is_rounded_towards_zero():
    assert row(Statement("a|b", "c", "refuted", lambda: arb("0.0199"))) == \
        r"| a\|b | c | refuted | 1.9e-02 |"
