"""Every mutant dies by every law that claims it, and every law has something to kill."""
import pytest

from tests.laws import with_op
from tests.mutants.table import CLAIMS, LAWS, MUTANTS, line

IDS = [f"{mutant}-{law.split('.')[-1].removeprefix('test_')}" for law, mutant in CLAIMS]


@pytest.mark.parametrize("law, mutant", CLAIMS, ids=IDS)
def test_a_mutant_is_killed_by_the_law_that_names_it(law, mutant):
    wrong = MUTANTS[mutant]
    witness = LAWS[law].witness(with_op(wrong.op, wrong.function))
    assert witness, f"{wrong.op} with {wrong.bug} keeps this law: {LAWS[law].name}"
    print(line(law, mutant, witness))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_named_by_a_law(mutant):
    assert mutant in {name for _, name in CLAIMS}


@pytest.mark.parametrize("law", LAWS)
def test_a_law_earns_its_place_by_a_mutant(law):
    assert LAWS[law].kills and set(LAWS[law].kills) <= set(MUTANTS)
    assert all(MUTANTS[name].op in LAWS[law].ops for name in LAWS[law].kills)


def test_there_are_many():
    assert len(MUTANTS) >= 150 and len(LAWS) >= 120
    assert len({name for law in LAWS.values() for name in law.ops}) >= 40
