"""The project speaks plain technical English: words of a private dialect appear nowhere.

Each entry is a pattern and what replaces it (see CONTRIBUTING.md).
"""
import re
import subprocess
from pathlib import Path

from tests.groups import each

ROOT = Path(__file__).parent.parent
OUT = {
    r"(the|open) door|open_door|admission|admitted": "dispatch, unchecked call, validation",
    r"rooms?|(the|in|this) house|lives? in|stands? in": "module, package, is defined in",
    r"condemn\w*|manners|strangers?|guests?": "fails, side effects, third party",
    r"noughts?|told|heard|said|worth": "zero, reported, evaluated, message, accurate to",
    r"twins?": "counterpart",
    r"balls?(?! arithmetic)|doubt(s|ed|ful)?": "toleranced value, uncertain",
    r"captors?|settle[sd]?|looks? at whom|kin|stands? still|stood still|mended":
        "dominant pattern, converge, mask, converges, corrected",
    r"(errata of )?the seeds": "the papers",
    r"deaf|hungry|who is who|at home|nobody|somebody": "plain technical English",
    r"shared out|slips?": "normalised over, errors",
    r"(see|sees|seeing) the future|leaves? no trace|of (its|their) own accord":
        "depends on later positions, has no effect",
    r"as one likes|go(es)? round|stands? twice|now and then|counts? for nothing":
        "arbitrarily, cycles, is shown twice, sometimes, has no effect",
    r"(brought|bringing|comes|come) to rest|points? nowhere|out of sight":
        "reaches equilibrium, has mean 0, hidden",
}
KEPT = {                # file: words that it may use, for a reason
    "tox.ini": r"balls",                                 # those of `tox -e certify`
    "docs/adding.md": r"balls",                          # those of certified forms
    "hopref/check/report/schema.json": r"balls",         # a method of hopref.certify
    "hopref/check/report/text.py": r"balls",
    "hopref/vectors/records.py": r"balls",
    "hopref/vectors/schema.json": r"balls",
    "tests/test_language.py": r".*",                     # this list
    "CONTRIBUTING.md": r"",
    "hopref/data/LICENSES.txt": r".*",                   # texts of others
    "LICENSE": r".*",
}
CERTIFIED = re.compile(r"certif")       # files on ball arithmetic, the standard term
LETTER = r"[^\W_]|-"     # words in names with underscores are found too
TEXT = (".py", ".md", ".rst", ".toml", ".cfg", ".ini", ".css", ".txt", ".cff", ".json", "run")


def tracked():
    """The text files of the project."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    files = listed.stdout.split() if listed.returncode == 0 and listed.stdout else \
        [str(f.relative_to(ROOT)) for top in ("hopref", "tests", "docs", "benchmarks")
         for f in sorted((ROOT / top).rglob("*.py"))]
    return [f for f in files if f.endswith(TEXT) and (ROOT / f).is_file()]


def found(text):
    """(line number, word, what replaces it) of every word that is out."""
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, instead in OUT.items():
            for match in re.finditer(rf"(?<!{LETTER})({pattern})(?!{LETTER})", line, re.I):
                yield number, match[0], instead


@each("file", tracked())
def test_a_file_has_no_words_that_are_out(file):
    kept = KEPT.get(file, "balls?" if CERTIFIED.search(file) else r"(?!)")
    words = [f"{file}:{number}: {word!r}; write {instead}"
             for number, word, instead in found((ROOT / file).read_text(encoding="utf-8"))
             if not re.fullmatch(kept, word, re.I)]
    assert not words, "\n".join(words)


def test_a_word_that_is_out_is_found_with_what_replaces_it():
    text = "one\nThe door is open, in doubt\ndef good_manners():"
    assert [(n, w) for n, w, _ in found(text)] == [
        (2, "The door"), (2, "doubt"), (3, "manners")]
    assert not list(found("headroom, the outdoor ball-bearing"))
