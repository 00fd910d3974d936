"""Functions that no array operation is: loops and capacities, here and in their own process."""
import dataclasses

import numpy as np
import pytest

from hopref import dynamics
from hopref.check import check
from hopref.check.engine import wire
from hopref.check.engine.candidate import observe
from hopref.check.engine.judge import judge
from hopref.check.engine.subprocess import Subprocess
from hopref.dispatch.operation import load

LOOPS = '''
import math
import numpy as np
from scipy.special import lambertw

def retrieve(update, xi, *memory, tol=1e-12, max_steps=1000, **options):
    """One state after the other; energies are left out."""
    xi = np.asarray(xi, float)
    found = [one(update, x, memory, tol, max_steps, options) for x in xi.reshape(-1, xi.shape[-1])]
    states, steps, reason = zip(*found)
    lead = xi.shape[:-1]
    return {"states": np.reshape(states, xi.shape), "steps": np.reshape(steps, lead),
            "reason": np.reshape(reason, lead)}

def one(update, x, memory, tol, max_steps, options):
    seen = {tuple(x + 0.0)}
    for step in range(1, max_steps + 1):
        new = np.asarray(update(x, *memory, **options))
        if np.array_equal(new, x):
            return new, step, "fixed_point"
        if np.abs(new - x).max() <= tol * np.abs(new).max():
            return new, step, "tolerance"
        if tuple(new + 0.0) in seen:
            return new, step, "cycle"
        seen.add(tuple(new + 0.0))
        x = new
    return x, max_steps, "max_steps"

def hasty(update, xi, *memory, **options):
    run = retrieve(update, xi, *memory, **options)
    return run | {"steps": run["steps"] - (run["reason"] == "fixed_point")}

def capacity(d, beta, K, p, form="lambert"):
    a = 2 / (d - 1) * (1 + math.log(2 * beta * K**2 * p * (d - 1)))
    b = 0.4 * K**2 * beta
    u = a + math.log(b)
    omega = lambertw(1.0).real
    if form == "lambert":
        w = lambertw(math.exp(u)).real
    else:
        w = u**(u / (1 + u)) if u > 0 else \
            math.log((omega * math.exp(u) + 1) / (omega * (1 + omega)))
    c = b / w
    return c, math.exp(min((d - 1) / 4 * math.log(c) + math.log(p) / 2, 709.7)), a, b

def storkey(d):
    return d / math.sqrt(2 * math.log(d))
'''


@pytest.fixture
def loops(tmp_path, monkeypatch):
    (tmp_path / "loops.py").write_text(LOOPS)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(LOOPS, names)
    return names


def own_process(name, like):
    candidate = Subprocess(f"loops:{name}", like, here=True)
    try:
        return judge(candidate, like)
    finally:
        candidate.close()


HONEST = [("retrieve", "dynamics.retrieve"), ("storkey", "theory.capacity_storkey"),
          ("capacity", "theory.capacity_modern")]


@pytest.mark.parametrize("name, like", HONEST)
def test_an_honest_function_conforms_here_and_in_its_own_process(loops, name, like):
    for report in (check(loops[name], like), own_process(name, like)):
        assert report.conforms and report.laws, report.findings


def test_a_wrong_loop_breaks_its_law_in_its_own_process(loops):
    report = own_process("hasty", "dynamics.retrieve")
    assert report.verdict == "fails"
    assert "a binary state ends where stepping ends" in {f.name for f in report.findings}


def test_a_loop_without_the_documented_fields_fails():
    report = check(lambda update, xi, *memory, **options: np.asarray(xi), "dynamics.retrieve")
    assert [f.name for f in report.findings if f.kind == "call"] == ["wrong result"]


@dataclasses.dataclass
class Run:
    states: np.ndarray
    energies: object = None


def test_a_record_of_any_kind_is_read_by_its_fields():
    run = dynamics.Trace(np.ones((2, 1)), None)
    for answer in (run, run._asdict(), Run(run.states)):
        outcome = observe(lambda: answer, (), {}) # noqa: B023
        assert outcome.fields == ("states",) and outcome.absent == ("energies",)
        assert outcome.answer.energies is None
        np.testing.assert_array_equal(outcome.answer.states, run.states)


def test_an_operation_travels_by_its_name_and_other_functions_do_not():
    update = load()["modern.update"]
    args, _ = wire.unpacked(*wire.packed((update,), {}))
    assert args == [update]
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        wire.packed((np.sin,), {})
