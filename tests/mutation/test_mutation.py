"""Mutants are single changes, each is judged on its own, and survivors are reported."""
import ast
import json
import subprocess
import sys

import pytest

from docs import mutation
from tests.mutation.measurement import PACKAGES, SURVIVES
from tests.mutation.operators import ROOT, mutants, mutated
from tests.mutation.slice import COUNT, FILES, UNCHANGED

TEXT = '''
"""A docstring 1."""
import math

__all__ = ["f"]


@cache
def f(x: int = 0, *, k=2):
    """Another docstring."""
    if x < k and x:
        raise ValueError(f"x must be {1 + 1}")
    x += g(x, k, axis=-1)
    for _ in range(3):
        if not x:
            break
        continue
    return math.floor(x - k) if x is None else [True, x @ k]
'''
CHANGES = {
    "comparison": ["x < k -> x <= k", "x < k -> x >= k", "x is None -> x is not None"],
    "arithmetic": ["x += g(x, k, axis=-1) -> x -= g(x, k, axis=-1)", "x - k -> x + k"],
    "operands": ["g(x, k, axis=-1) -> g(k, x, axis=-1)", "x - k -> k - x", "x @ k -> k @ x"],
    "constant": ["0 -> 1", "0 -> -1", "2 -> 3", "2 -> 1", "1 -> 2", "1 -> 0", "3 -> 4", "3 -> 2",
                 "True -> False"],
    "condition": ["x < k and x -> x < k or x", "not x -> x"],
    "keyword": ["g(..., axis=-1) -> g(...)"],
    "decorator": ["@cache -> none"],
    "function": ["math.floor -> math.ceil"],
}


def test_every_kind_of_change_is_made_where_it_can_be_and_nowhere_else():
    found = mutants("f.py", TEXT)
    for kind, wanted in CHANGES.items():
        made = [f"{m.before} -> {m.after}" for m in found if m.kind == kind]
        assert set(wanted) <= set(made), (kind, made)
        assert len(made) == len(wanted) or kind == "condition", (kind, made)
    assert {m.kind for m in found} == {*CHANGES, "statement"}
    gone = {m.before.split()[0] for m in found if m.kind == "statement"}
    assert gone == {"raise", "x", "break", "continue", "return"}


def test_a_mutant_differs_from_the_source_by_its_change_only():
    found = mutants("f.py", TEXT)
    texts = [ast.unparse(mutated(TEXT, m)) for m in found]
    assert len(set(texts)) == len(set(m.name for m in found)) == len(found)
    assert ast.unparse(ast.parse(TEXT)) not in texts
    at = next(i for i, m in enumerate(found) if m.after == "x - k" or m.before == "x - k")
    assert texts[at].count("x + k") == 1 and texts[at].count("x - k") == 0


@pytest.fixture(scope="module")
def verdicts():
    run = subprocess.run([sys.executable, "-m", "tests.mutation.slice"], capture_output=True,
                         text=True, cwd=ROOT, check=True)
    return {entry["name"]: entry["verdict"] for entry in map(json.loads, run.stdout.splitlines())}


PLANTED = {f"tests/mutation/planted.py: mean: 1 -> {n}" for n in (0, 2)}
EQUIVALENT = {"hopref/models/modern.py: energy: xi - nearest -> nearest - xi"}


def test_the_survivors_of_the_slice_are_the_planted_and_the_equivalent_ones(verdicts):
    survivors = {name for name, verdict in verdicts.items() if verdict == SURVIVES}
    originals = {name for name in verdicts if name.endswith(UNCHANGED)}
    assert survivors - originals == PLANTED | EQUIVALENT
    assert len(verdicts) - len(originals) == COUNT * len(FILES) + 6         # and the planted ones


def test_the_original_source_survives_in_the_place_of_a_mutant(verdicts):
    """Otherwise a mutant might be killed by the way in which it is put in place."""
    found = {name: verdict for name, verdict in verdicts.items() if name.endswith(UNCHANGED)}
    assert len(found) == 1 + len(FILES) and set(found.values()) == {SURVIVES}


# ---- the page -----------------------------------------------------------------------------------

TABLE, REASONS = mutation.stored(), mutation.reasons()
SURVIVORS = {name for entry in TABLE.values() for name in entry["survivors"]}


def test_the_score_of_each_package_is_at_least_nine_tenths_of_those_that_differ():
    assert TABLE.keys() == set(PACKAGES)
    for package, entry in TABLE.items():
        assert entry["judged"] == entry["killed"] + len(entry["survivors"]), package
        assert entry["judged"] >= min(150, entry["mutants"])
        differ = entry["judged"] - mutation.equivalent(entry["survivors"])
        assert entry["killed"] >= 0.9 * differ, package
    assert mutation.pooled(TABLE) >= 0.9


def test_every_survivor_has_one_reason():
    explained = [name for entry in REASONS.values() for name in entry["mutants"]]
    assert sorted(explained) == sorted(SURVIVORS)
    assert all(len(entry["why"].split()) > 10 for entry in REASONS.values())


@pytest.mark.parametrize("path", sorted({name.partition(":")[0] for name in SURVIVORS}))
def test_survivors_are_changes_of_the_present_source(path):
    """A source that changes needs a new reason, or a test: ``tox -e mutation``."""
    known = {mutant.name for mutant in mutants(path, (ROOT / path).read_text())}
    assert {name for name in SURVIVORS if name.partition(":")[0] == path} <= known


def test_the_page_has_the_score_and_all_reasons():
    text = mutation.page()
    for package, entry in TABLE.items():
        assert f"| {package} | {entry['mutants']} | {entry['judged']} | {entry['killed']} |" in text
    assert all(f"`{name}`" in text for name in SURVIVORS)


def test_the_interval_is_that_of_a_finite_population():
    assert mutation.interval(90, 100, 100) == (0.9, 0.9)
    low, high = mutation.interval(90, 100, 10**9)
    assert round(low, 3) == 0.826 and round(high, 3) == 0.945       # Wilson's
    nearer = mutation.interval(90, 100, 200)
    assert low < nearer[0] < 0.9 < nearer[1] < high


def test_a_later_verdict_replaces_an_earlier_one(tmp_path):
    entry = {"package": "maps", "of": 9, "seed": 1}
    lines = [[entry | {"name": "a", "verdict": "survives"}, entry | {"name": "b", "verdict": "x"}],
             [entry | {"name": "a", "verdict": "a test"}]]
    files = [tmp_path / "first", tmp_path / "second"]
    for file, found in zip(files, lines, strict=True):
        file.write_text("".join(json.dumps(line) + "\n" for line in found))
    wanted = {"seed": 1, "seen": False, "mutants": 9, "judged": 2, "killed": 2, "survivors": []}
    parts = wanted | {"seed": 0}
    assert mutation.summary(files, {"parts": parts, "maps": parts}) \
        == {"parts": parts, "maps": wanted}
    assert mutation.summary(files[:1], {})["maps"]["survivors"] == ["a"]
    assert mutation.summary(files, {"maps": wanted})["maps"] == wanted | {"seen": True}
