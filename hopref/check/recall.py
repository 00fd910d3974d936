"""Fraction of the known bugs that the kit rejects, and that it names.

``python -m hopref.check.recall`` judges every bug of `hopref.check.bugs` as a candidate, and prints
the bugs that conform, those that receive another name, and the counts.  ``--every 8`` selects each
eighth bug, ``--like modern`` those of one model; ``--laws`` prints which law rejects which bug,
with the first arguments that violate it.
"""
import argparse
import itertools
from dataclasses import dataclass

from hopref.check.bugs import BUGS, load
from hopref.check.cases.generator import cases
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.implementation import Implementation
from hopref.check.engine.judge import arguments_of, judge
from hopref.check.laws import LAWS
from hopref.check.laws import load as load_laws
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.progress import progress

__all__ = ["Judged", "judged", "claims", "violation", "main"]

SEEDS, DRAWS = 8, 400       # cases and draws in which a law may find a bug


@dataclass(frozen=True)
class Judged:
    """A bug, whether the kit rejects it, and the names that the diagnosis gives it."""
    bug: object
    rejected: bool
    named: tuple

    @property
    def recognised(self):
        """Whether the diagnosis gives the bug its own name, first of at most two."""
        return self.rejected and self.named[:1] == (self.bug.name,) and len(self.named) <= 2


def judged(bug, seed=0):
    """The judgement of one bug as an implementation of its subject."""
    report = judge(InProcess(bug.candidate, bug.name), bug.subject, seed=seed)
    return Judged(bug, report.verdict == "fails", tuple(report.named))


def claims():
    """Every law with each of the bugs that it declares to reject, one for each of its subjects."""
    load_laws(), load()
    return [(law, name, [BUGS[subject, name] for subject in law.subjects
                         if (subject, name) in BUGS])
            for law in LAWS.values() for name in law.kills]


def violation(law, bug):
    """The first case and violation in which the bug breaks the law, or None."""
    f = Implementation(bug.subject, bug.candidate, PROFILES["float64"])
    by_cases = law.over is None and law.takes_arguments
    for seed in range(SEEDS if by_cases else 1):
        drawn = cases(f.op, seed=seed) if by_cases and f.op is not None and f.op.arrays else []
        for name, args, kwargs in arguments_of(law, f.op, drawn, number=DRAWS, seed=seed):
            try:
                broken = law.judge(f, *f.drawn(args), **f.drawn(kwargs))
            except Exception:       # the bug cannot be called with these arguments
                continue
            if broken:
                return name, broken[0]
    return None


def main(argv=None):
    """Print the table; return 0 if enough bugs are rejected and named, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m hopref.check.recall", description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--like", default="")
    parser.add_argument("--laws", action="store_true")
    options = parser.parse_args(argv)
    if options.laws:
        return print_claims(options.like)
    chosen = [b for b in load().values() if b.subject.startswith(options.like) and not b.benign]
    found = [judged(b) for b in progress(list(itertools.islice(chosen, 0, None, options.every)),
                                         label="bugs")]
    rejected = [one for one in found if one.rejected]
    for one in found:
        if not one.recognised:
            print(f"{one.bug.subject}: {one.bug.name}: "
                  + (f"named {'; '.join(one.named) or 'nothing'}" if one.rejected else "CONFORMS"))
    own = sum(one.recognised for one in found)
    print(f"{len(rejected)} of {len(found)} bugs are rejected ({len(rejected) / len(found):.1%}), "
          f"{own} of these get their own name ({own / max(1, len(rejected)):.1%})")
    return 0 if len(rejected) >= 0.99 * len(found) and own >= 0.8 * len(rejected) else 1


def print_claims(like):
    """Print every law and bug, with the first arguments that violate the law."""
    survived = 0
    for law, name, bugs in claims():
        found = [violation(law, bug) for bug in bugs if bug.subject.startswith(like)]
        survived += bool(found) and not any(found)
        for bug, broken in zip(bugs, found):
            print(f"{bug.subject}: {name}\n    {'rejected by' if broken else 'SATISFIES'} "
                  f"{law.name} [{law.id}]")
            if broken:
                case, it = broken
                print(f"    {case}: {it.worst['got']:.6g} against {it.worst['want']:.6g} {it.what}")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
