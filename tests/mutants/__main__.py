"""Print every mutant, the laws that kill it and their first witness."""
from tests.laws import LAWS, with_op
from tests.mutants.table import CLAIMS, MUTANTS, line

for law, name in sorted(CLAIMS, key=lambda claim: list(MUTANTS).index(claim[1])):
    witness = LAWS[law].witness(with_op(MUTANTS[name].op, MUTANTS[name].function))
    print(line(law, name, witness) if witness else f"{name} SURVIVES {law}")
