"""The page of errors against certified values: complete, and within the derived tolerances."""
import re

import numpy as np
import pytest

pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")

from docs import certified  # noqa: E402
from hopref.certify import certify  # noqa: E402
from hopref.certify.evaluation import has_form  # noqa: E402
from hopref.check.cases.families import FAMILIES  # noqa: E402
from hopref.check.cases.generator import plainest  # noqa: E402
from hopref.check.tolerance.expected import honest  # noqa: E402
from hopref.dispatch.operation import load  # noqa: E402

TABLE = certified.stored()


def test_the_table_has_every_certified_operation_and_its_families():
    """After a new form: ``python -m docs.certified``."""
    assert set(TABLE) == {n for n, op in load().items() if has_form(n) and op.arrays}
    assert all("gauss" in families and families.keys() <= FAMILIES.keys()
               for families in TABLE.values())
    assert certified.COLUMNS.keys() <= FAMILIES.keys()


def test_no_error_exceeds_its_derived_tolerance():
    assert max(share for families in TABLE.values() for _, share in families.values()) <= 1


def test_the_page_lists_every_operation_and_the_largest_errors():
    text = certified.page()
    assert set(re.findall(r"<hopref\.(\S+)>", text)) == TABLE.keys()
    error, name, family = certified.worst(TABLE)[0]
    assert f"| {error:.3g} | {certified._link(name, name)} | {family} |" in text
    assert error == max(row[0] for families in TABLE.values() for row in families.values())


def test_an_error_is_that_of_the_operation_against_its_certified_value():
    op = load()["modern.energy"]
    case = plainest(op)
    error, share = certified.errors(op, case)
    found, radius = certify(op, *case.args, **case.kwargs), honest(op, *case.args, **case.kwargs)
    off = np.abs(op(*case.args, **case.kwargs) - found.value)
    assert error == pytest.approx(np.max(off) / np.max(found.value) / 2.0**-52, rel=0.01)
    assert share == pytest.approx(np.max(off / (radius.radius + found.bound)), rel=0.01)
