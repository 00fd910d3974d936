"""Each cheat is wrong on its own input, and the kit rejects it."""
import numpy as np

from hopref.check.engine import judge as judging
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import MOST_DRAWS, judge, worst_entry
from hopref.check.peers.adapters import bound
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from tests.check.cheats import load
from tests.groups import each

CHEATS = load()


def identified(cheat):
    return f"{cheat.op}-{cheat.name}".replace(" ", "_")


def largest_error(cheat):
    """The error of the last call in units of its tolerance; infinite if it fails."""
    args, kwargs, got = cheat.replayed()
    if got is None:
        return np.inf
    right = expected(cheat.op, args, kwargs, PROFILES[cheat.dtype])
    right, got = (y if isinstance(y, tuple) else (y,) for y in (right, got))
    return max(worst_entry(np.asarray(y), it)[0] for y, it in zip(got, right))


@each("cheat", CHEATS, ids=identified, share=4)
def test_a_cheat_is_wrong(cheat):
    if cheat.shows is None:
        assert largest_error(cheat) > 2
    else:
        assert cheat.shows(cheat.make())


@each("cheat", CHEATS, ids=identified, share=6)
def test_a_cheat_is_rejected(cheat, monkeypatch):
    """By its values or, failing that, by the laws; the diagnosis does not change a verdict."""
    monkeypatch.setattr(judging, "diagnose", lambda trial: None)
    verdicts = (judge(InProcess(bound(cheat.make(), cheat.op), cheat.name), cheat.op,
                      dtype=cheat.dtype, draws=draws).verdict for draws in (0, MOST_DRAWS))
    assert "fails" in verdicts


def test_the_corpus_is_large():
    assert len(CHEATS) >= 400 and len({cheat.op for cheat in CHEATS}) >= 20
