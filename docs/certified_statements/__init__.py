"""Statements of the papers and of the errata page that certified values decide, with their margins.

    python -m docs.certified_statements

prints the tables of the errata page, which the tests compare with it.  A statement is an inequality
in ball arithmetic: its margin is the difference of the two sides, of which the smallest number in
the ball is shown, so that a positive one is a proof.  Where a statement is about all arguments, it
is the smallest margin of the instances that were drawn, and no proof of the statement.
"""
from typing import NamedTuple

__all__ = ["Statement", "certified_margin", "declared", "row", "statement", "table"]

BITS = 256
declared = []           # all statements, in the order of the tables


class Statement(NamedTuple):
    """A statement, its verdict, and the function of its margin."""
    about: str          # the heading of the entry of the page, or the source of a statement
    claim: str
    verdict: str
    margin: object


def statement(about, claim, verdict="confirmed"):
    """Declare that the decorated function returns the margin by which a claim holds.

    The claim is the statement where that is confirmed, and a counterexample where it is refuted.
    """
    def declare(margin):
        declared.append(Statement(about, claim, verdict, margin))
        return margin
    return declare


def certified_margin(it):
    """The smallest number in the ball of the margin, as a float rounded downwards."""
    from hopref.certify.balls import precision

    with precision(BITS):
        return float(it.margin().lower())


def row(it):
    """The line of the table: a margin is shown with two digits, rounded towards 0."""
    digits = f"{certified_margin(it):.6e}"
    about, claim = (text.replace("|", r"\|") for text in (it.about, it.claim))
    return f"| {about} | {claim} | {it.verdict} | {digits[:3]}{digits[8:]} |"


def table(statements, head):
    return "\n".join([f"| {head} | claim | verdict | margin |", "|---|---|---|---|",
                      *map(row, statements)])
