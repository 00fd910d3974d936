"""The page of the mutation score: how many changes of the source the vectors and tests detect.

    python -m docs.mutation VERDICTS.jsonl [MORE.jsonl...]

writes ``measured/mutation.json``, of which the page is made, from outputs of ``python -m
tests.mutation``; a verdict replaces those of the same mutant in earlier files.  The reasons of the
survivors are written by hand, in ``measured/survivors.json``.
"""
import json
import math
import sys
from pathlib import Path

__all__ = ["MEASURED", "SURVIVORS", "equivalent", "interval", "page", "pooled", "reasons",
           "stored", "summary"]

MEASURED = Path(__file__).parent / "measured" / "mutation.json"
SURVIVORS = MEASURED.with_name("survivors.json")
Z = 1.96


def stored():
    """{package: {"seed", "seen", "mutants", "judged", "killed", "survivors"}} of the last samples.

    A sample is seen if it was judged more than once, so that tests may have been written for it.
    """
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def reasons():
    """{kind of reason: {"why": text, "equivalent": bool, "mutants": names}}.

    No value of an equivalent mutant differs.
    """
    return json.loads(SURVIVORS.read_text(encoding="utf-8"))


def summary(files, earlier):
    """The content of `stored` from files of verdicts; ``earlier`` are those of other packages."""
    found = {}
    for file in files:
        for entry in map(json.loads, Path(file).read_text(encoding="utf-8").splitlines()):
            found.setdefault(entry["package"], {})[entry["name"]] = entry
    table = dict(earlier)
    for package, entries in found.items():
        survivors = sorted(name for name, entry in entries.items()
                           if entry["verdict"] == "survives")
        first, before = next(iter(entries.values())), earlier.get(package, {})
        table[package] = {"seed": first["seed"], "seen": before.get("seed") == first["seed"],
                          "mutants": first["of"], "judged": len(entries),
                          "killed": len(entries) - len(survivors), "survivors": survivors}
    return table


def interval(killed, judged, mutants):
    """Wilson's interval (95 %) of a proportion, of a sample without replacement."""
    if judged == mutants:
        return killed / judged, killed / judged
    n = judged * (mutants - 1) / (mutants - judged)         # the finite population corrected
    p = killed / judged
    middle, width = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return (middle - width) / (1 + Z * Z / n), (middle + width) / (1 + Z * Z / n)


def page():
    """Markdown of the page."""
    table = stored()
    lines = [_HEADING, "| package | mutants | judged | killed | equivalent | score | 95 % interval "
             "| without equivalent ones | seed | seen |", "|---" * 10 + "|"]
    lines += [_row(package, **entry) for package, entry in table.items()]
    lines += ["", f"By these samples, {pooled(table):.1%} of the mutants of all packages together "
              "are killed.", "", _SURVIVORS]
    for kind, entry in reasons().items():
        lines += ["", f"## {kind}", "", entry["why"], ""]
        lines += [f"* `{name}`" for name in entry["mutants"]]
    return "\n".join([*lines, ""])


def pooled(table):
    """The score of all packages together, each weighted by the number of its mutants."""
    killed = sum(entry["mutants"] * entry["killed"] / entry["judged"] for entry in table.values())
    return killed / sum(entry["mutants"] for entry in table.values())


def equivalent(survivors):
    """How many of these survivors are equivalent to the original."""
    known = {name for entry in reasons().values() if entry["equivalent"]
             for name in entry["mutants"]}
    return len(known & set(survivors))


def _row(package, seed, seen, mutants, judged, killed, survivors):
    low, high = interval(killed, judged, mutants)
    same = equivalent(survivors)
    return (f"| {package} | {mutants} | {judged} | {killed} | {same} | {killed / judged:.1%} | "
            f"{low:.1%} to {high:.1%} | {killed / (judged - same):.1%} | {seed} | "
            f"{'yes' if seen else 'no'} |")


_HEADING = """\
# Mutation score

A mutant is a copy of hopref with one change of its source: another comparison, operator, constant,
condition or function, operands in another order, a statement, keyword or decorator less. It is
killed if a row of the [golden vectors](vectors.md) or a test fails, or if it does not end. Each is
judged by up to 600 rows that run the changed lines, then by the tests that run them, quick ones
first, and by those that are named after the operation, until they take as long as `--seconds`
allows. Docstrings, strings and the messages of errors are not changed. A survivor that another
test kills, of those that are slower or not among the judges, still counts as a survivor.

`tox -e mutation` judges a random sample of each package, which the seed determines. A survivor is
equivalent if all values are those of the original, for the reason given below. A sample is seen if
it was judged before, so that tests may have been written for its survivors: other samples may then
have a lower score. The mutants of this table were not seen. They were judged with `--seconds 3`,
and the survivors of all packages but `models` and `maps` again with `--seconds 20`; those of
`parts` a third time, with the tests of parts on a substitute for a device, which have been judges
since then.
"""
_SURVIVORS = "The survivors, by the reason why no test kills them."


if __name__ == "__main__":
    known = stored() if MEASURED.exists() else {}
    MEASURED.write_text(json.dumps(summary(sys.argv[1:], known), indent=1) + "\n",
                        encoding="utf-8")
