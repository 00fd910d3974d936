"""What docstrings say about accuracy is backed by the table of certified errors, or by a test.

The API pages state the measured error of every operation.  A docstring states a number only where
it is a property of the method, and then it is listed here.
"""
import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from docs import certified, reference

ROOT = Path(reference.__file__).parent.parent
SOURCES = [*(ROOT / "hopref").glob("*.py"),
           *(file for folder in ("models", "maps", "features", "gradients", "layers", "theory")
             for file in (ROOT / "hopref" / folder).rglob("*.py"))]
CLAIM = re.compile(
    r"(\b\w+ ulps?\b|\b(few|(?<![>=] )\d[\d.]*) (eps|roundings)\b|\brounded once\b"
    r"|\baccurate to\b|\bto the (last bit|rounding)\b|\b(error|accura\w+|precision)[^.]*2\^-\d+"
    r"|\b\d+ (bits|digits) of accuracy\b)", re.I)
TABLE = certified.stored()


class Measured(NamedTuple):
    """Operations whose errors of the table are at most so many eps of the largest entry."""
    operations: tuple
    eps: float

    def check(self):
        assert max(row[0] for name in self.operations for row in TABLE[name].values()) <= self.eps


class ByTest(NamedTuple):
    """A test of the sentence, as file::function."""
    test: str

    def check(self):
        file, _, function = self.test.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


class Remark(NamedTuple):
    """Why a sentence states no accuracy of a result."""
    why: str

    def check(self):
        assert self.why


# An ulp of the largest entry is at least half an eps of it: four ulp are at least two eps.
MAPS = Measured(tuple(f"maps.{name}" for name in ("sparsemax", "entmax", "normmax", "k_subsets",
                                                  "top_k")), 2)
REMAINDER = ByTest("maps/test_double_double.py::test_a_remainder_is_rounded_once_in_any_order")
WITHOUT_PAIRS = Remark("an error that the method avoids")
BACKED = {
    ("storage.py", "hebbian"): Remark("a warning about weights that are rounded"),
    ("models/lagrangian.py", "reduced_energy"): Measured(("lagrangian.reduced_energy",), 4),
    ("models/classical.py", "low_rank_asynchronous_update"): ByTest(
        "fast/test_classical.py::test_the_diagonal_is_removed_from_sums_of_any_size"),
    ("maps/sparse.py", "module"): MAPS,
    ("maps/sparse.py", "entmax"): WITHOUT_PAIRS,
    ("maps/sparse.py", "normmax"): ByTest(
        "maps/test_double_double.py::test_powers_are_accurate_to_85_bits"),
    ("maps/entries.py", "centred"): WITHOUT_PAIRS,
    ("maps/double_double.py", "module"): WITHOUT_PAIRS,
    ("maps/double_double.py", "left"): REMAINDER,
    ("maps/thresholds.py", "module"): REMAINDER,
    ("maps/overlaps.py", "overlaps"): ByTest(
        "maps/test_overlaps.py::test_weights_are_accurate_at_any_magnitude"),
    ("features/__init__.py", "module"): Measured(
        ("features.log_positive", "features.log_hyperbolic", "features.log_general"), 2),
    ("layers/association.py", "layer_norm"): ByTest(
        "layers/test_association.py::test_a_layer_norm_keeps_its_bits_in_other_units"),
    ("theory/separability.py", "smallest_beta"): ByTest(
        "theory/test_theory.py::test_the_weight_is_attained_at_the_smallest_beta"),
}


def claims(text):
    """(name, sentence) of every claim in the docstrings of a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
            prose = " ".join((ast.get_docstring(node) or "").partition(">>>")[0].split())
            for sentence in re.split(r"(?<=[.;:]) ", prose):
                if CLAIM.search(sentence):
                    yield getattr(node, "name", "module"), sentence


def test_every_claim_of_a_docstring_is_backed():
    found = {(str(file.relative_to(ROOT / "hopref")), name): sentence for file in SOURCES
             for name, sentence in claims(file.read_text(encoding="utf-8"))}
    assert found.keys() == BACKED.keys(), [f for f in found.items() if f[0] not in BACKED]


@pytest.mark.parametrize("claim", BACKED, ids=" ".join)
def test_what_backs_a_claim_holds(claim):
    BACKED[claim].check()


@pytest.mark.parametrize("sentence", [
    "Accurate to 3e-16.", "The error is at most 2 ulp.", "The result has 3 eps of error.",
    "The relative error is below 2^-60.", "It is rounded once."])
def test_a_new_claim_is_found(sentence):
    assert list(claims(f'def f(x):\n    """A function.\n\n    {sentence}\n    """'))


def test_a_limit_below_the_table_is_refused():
    with pytest.raises(AssertionError):
        Measured(("modern.update",), TABLE["modern.update"]["gauss"][0] / 2).check()
    with pytest.raises(AssertionError):
        ByTest("theory/test_theory.py::test_that_is_not_there").check()


def test_the_api_pages_state_the_measured_errors_of_every_operation():
    text = "\n".join(reference.pages().values())
    missing = [name for name in TABLE if certified.sentence(name, TABLE) not in text]
    assert not missing
    assert certified.sentence("projections.iid", TABLE) is None
