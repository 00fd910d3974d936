"""What an experiment reports: the claim, what was measured, and whether the two agree."""
from dataclasses import asdict, dataclass

from hopref.experiments.drawing import save

__all__ = ["Record", "Table", "Picture", "pictured", "counted", "listed", "verdict", "depends",
           "REPRODUCES", "DEPENDS", "FAILS", "SILENT"]

REPRODUCES = "reproduces"
DEPENDS = "depends on"          # ... the choice
FAILS = "does not reproduce"
SILENT = "no verdict in the text"


@dataclass(frozen=True)
class Table:
    """Rows of plain values under their column heads."""
    caption: str
    columns: tuple
    rows: tuple


@dataclass(frozen=True)
class Picture:
    """A PNG beside the report."""
    file: str
    caption: str


@dataclass(frozen=True)
class Record:
    """One figure of the blog, or one statement of a paper, run again."""
    figure: str         # F1 ... F14, or the name of the experiment
    title: str
    equation: str       # where it is stated
    claim: str          # the blog's words, or what a paper states; "" where nothing is said
    test: str           # when the claim counts as true
    outcome: str        # what was measured, in one sentence
    verdict: str
    why: tuple          # sentences, each with numbers that were measured
    originals: str      # what the blog's own pictures gave when they were run again
    tables: tuple
    pictures: tuple = ()
    seconds: float = 0.0
    setting: str = ""   # what was drawn, how large, how often

    def as_dict(self):
        return asdict(self)


def depends(on="the choice"):
    """The verdict where the outcomes differ."""
    return f"{DEPENDS} {on}"


def verdict(claimed, measured, on="the choice"):
    """Compare a claim (True, False, or None where the text is silent) with outcomes by choice.

    >>> from hopref.experiments.records import verdict
    >>> verdict(True, {"unit": True, "none": False})
    'depends on the choice'
    """
    if claimed is None:
        return SILENT
    agree = [outcome == claimed for outcome in measured.values()]
    if not agree:
        raise ValueError("a verdict needs at least one measurement")
    return REPRODUCES if all(agree) else depends(on) if any(agree) else FAILS


def pictured(out, file, draw, caption):
    """Draw and save one picture into the directory ``out``; nothing where ``out`` is None."""
    if out is None:
        return ()
    save(draw(), out / file)
    return (Picture(file, caption),)


def counted(n, noun="picture"):
    """"1 picture", "3 pictures"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names, none="none"):
    """"a", "a and b", "a, b and c"."""
    names = list(names)
    if not names:
        return none
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])
