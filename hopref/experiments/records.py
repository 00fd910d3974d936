"""Records of experiments: a claim, the measurements, and a verdict that compares them."""
from dataclasses import asdict, dataclass

from hopref.experiments.drawing import save

__all__ = ["Record", "Table", "Picture", "saved_picture", "joined", "verdict",
           "depends_on", "REPRODUCES", "DEPENDS", "FAILS", "NO_VERDICT"]

REPRODUCES = "reproduces"
DEPENDS = "depends on"          # followed by a noun, such as "the choice"
FAILS = "does not reproduce"
NO_VERDICT = "no verdict in the text"


@dataclass(frozen=True)
class Table:
    """Rows of plain values under their column heads."""
    caption: str
    columns: tuple
    rows: tuple


@dataclass(frozen=True)
class Picture:
    """A PNG file of the report, with its caption."""
    file: str
    caption: str


@dataclass(frozen=True)
class Record:
    """Result of one experiment: a figure of the blog or a statement of a paper."""
    name: str           # F1 ... F14, or the name of the experiment
    title: str
    equation: str       # source of the claim
    claim: str          # quoted from the blog or paraphrased from a paper; "" if there is none
    test: str           # condition under which the claim counts as true
    outcome: str        # the measurement, in one sentence
    verdict: str
    explanation: tuple  # sentences, each with numbers that were measured
    original_pictures: str      # results for the pictures printed in the blog
    tables: tuple
    pictures: tuple = ()
    seconds: float = 0.0
    setting: str = ""   # distributions, sizes and numbers of trials

    def as_dict(self):
        """The record as a dictionary of plain values."""
        return asdict(self)


def depends_on(on="the choice"):
    """The verdict if the outcomes differ; ``on`` names what they depend on."""
    return f"{DEPENDS} {on}"


def verdict(claimed, measured, on="the choice"):
    """Compare a claim (True, False, or None if the text makes none) with outcomes by choice.

    >>> from hopref.experiments.records import verdict
    >>> verdict(True, {"unit": True, "none": False})
    'depends on the choice'
    """
    if claimed is None:
        return NO_VERDICT
    agree = [outcome == claimed for outcome in measured.values()]
    if not agree:
        raise ValueError("a verdict needs at least one measurement")
    return REPRODUCES if all(agree) else depends_on(on) if any(agree) else FAILS


def saved_picture(out, file, draw, caption):
    """Draw and save one picture into the directory ``out``; do nothing if ``out`` is None."""
    if out is None:
        return ()
    save(draw(), out / file)
    return (Picture(file, caption),)


def joined(names, none="none"):
    """An enumeration: "a", "a and b", "a, b and c"."""
    names = list(names)
    if not names:
        return none
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])
