"""Every defect of the blog is on the errata page, beside code that shows it."""
import re
from pathlib import Path

from docs import ledger, pages

TEXT = (Path(pages.__file__).parent / "errata.md").read_text()

# Equations that do not hold as printed, or not without a hypothesis that is not printed.
DEFECTIVE = {2, 3, 5, 7, 9, 10, 16, 17, 18, 19, 20, 21, 23, 24}
WITHOUT_CODE = {"A figure that is shown twice"}     # a file name: there is nothing to execute


def entries(text):
    """{heading: body} of the third-level headings."""
    parts = re.split(r"^### (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def unproved(text):
    """Entries without a counterexample that ends in something shown."""
    return {heading for heading, body in entries(text).items()
            if not any(re.search(r"^(?!>>>|\.\.\.)\S", code, re.M)
                       for _, _, code in pages.blocks(body))}


def test_every_defective_equation_is_listed():
    assert set(ledger.errata()) == DEFECTIVE


def test_every_entry_has_its_counterexample():
    assert unproved(TEXT) == WITHOUT_CODE


def test_an_entry_without_a_result_is_found():
    assert unproved("### Eq. (1): wrong\n\n```pycon\n>>> x = 1\n\n```\n") == {"Eq. (1): wrong"}
    assert not unproved("### Eq. (1): wrong\n\n```pycon\n>>> 1 + 1\n2\n\n```\n")
