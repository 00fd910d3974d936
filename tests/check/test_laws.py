"""hopref's own operations satisfy every law, and every law rejects the bugs that it names."""

from hopref.check.cases.generator import cases
from hopref.check.engine.implementation import Implementation
from hopref.check.engine.judge import arguments_of
from hopref.check.engine.subjects import own_function
from hopref.check.laws import load as load_laws
from hopref.check.recall import claims, violation
from hopref.check.tolerance.arithmetic import PROFILES
from tests.groups import each

LAWS, DRAWS, SEEDS = load_laws(), 4, (0,)         # hopref check takes more draws
CLAIMS = claims()
JUDGED = [(law, subject) for law in LAWS.values() for subject in law.subjects
          if not subject.startswith("estimators.")]        # these have no implementation of ours


def identified(x):
    return "" if isinstance(x, list) else getattr(x, "name", str(x)).replace(" ", "_")


@each("law, subject", JUDGED, ids=identified)
def test_an_operation_of_hopref_satisfies_its_law(law, subject):
    f = Implementation(subject, own_function(subject), PROFILES["float64"])
    tried = False
    for seed in SEEDS if law.over is None and law.takes_arguments else (0,):
        drawn = cases(f.op, seed=seed) if f.op is not None and f.op.arrays else []
        for name, args, kwargs in arguments_of(law, f.op, drawn, number=DRAWS, seed=seed):
            broken = law.judge(f, *f.drawn(args), **f.drawn(kwargs))
            assert not broken, f"{name}, seed {seed}: {broken[0]}"
            tried |= broken is not None
    assert tried, f"{law.name} applies to no case of {subject}"


@each("law, name, bugs", CLAIMS, ids=identified)
def test_a_law_rejects_the_bugs_that_it_names(law, name, bugs):
    """In one of its subjects at least, where several share the bug."""
    assert bugs, f"no subject of {law.name!r} has the bug {name!r} (step 3, the bugs)"
    assert any(not bug.benign and violation(law, bug) for bug in bugs), name


@each("law", LAWS.values(), ids=identified)
def test_a_law_names_a_bug_that_it_rejects(law):
    assert law.kills, f"{law.name} rejects no known bug"
