"""hopref's own operations satisfy every law, and every law rejects the bugs that it names."""

from hopref.check.cases.generator import cases
from hopref.check.engine.implementation import Implementation
from hopref.check.engine.judge import arguments_of
from hopref.check.engine.subjects import own_function
from hopref.check.laws import load as load_laws
from hopref.check.recall import claims, violation
from hopref.check.tolerance.arithmetic import PROFILES
from tests.groups import each

LAWS, DRAWS, SEED = load_laws(), 2, 1       # `hopref check` takes four draws of seed 0
# In the order of the operations, whose cases are drawn once for tests that follow each other.
CLAIMS = sorted(claims(), key=lambda claim: claim[2][0].subject if claim[2] else "")
JUDGED = [(law, subject) for subject, law in sorted(
    ((subject, law) for law in LAWS.values() for subject in law.subjects
     if not subject.startswith("estimators.")),            # these have no implementation of ours
    key=lambda pair: pair[0])]


def identified(x):
    return "" if isinstance(x, list) else getattr(x, "name", str(x)).replace(" ", "_")


@each("law, subject", JUDGED, ids=identified, share=4)
def test_an_operation_of_hopref_satisfies_its_law(law, subject):
    f = Implementation(subject, own_function(subject), PROFILES["float64"])
    drawn = cases(f.op, seed=SEED) if f.op is not None and f.op.arrays else []
    tried = 0
    for name, args, kwargs in arguments_of(law, f.op, drawn, seed=SEED):
        broken = law.judge(f, *f.drawn(args), **f.drawn(kwargs))
        assert not broken, f"{name}: {broken[0]}"
        tried += broken is not None
        if tried == DRAWS:
            break
    assert tried, f"{law.name} applies to no case of {subject}"


@each("law, name, bugs", CLAIMS, ids=identified, share=6)
def test_a_law_rejects_the_bugs_that_it_names(law, name, bugs):
    """In one of its subjects at least, where several share the bug."""
    assert bugs, f"no subject of {law.name!r} has the bug {name!r} (step 3, the bugs)"
    assert any(not bug.benign and violation(law, bug) for bug in bugs), name


@each("law", LAWS.values(), ids=identified)
def test_a_law_names_a_bug_that_it_rejects(law):
    assert law.kills, f"{law.name} rejects no known bug"
