"""Commands that repeat a judgement: conventions as options of ``hopref check``."""
import shlex

from hopref.check.peers.conventions import own_array

__all__ = ["options_of", "repeating"]

WORDS = {"convention": "convention", "array": "array", "order": "order", "mask": "mask",
         "returns": "returns", "up_to": "up-to"}
TABLES = {"given": "set", "names": "map", "layout": "layout", "sizes": "size", "fixed": "fixed",
          "init": "init"}


def options_of(record):
    """The options of the command that state the convention of a JSON record, as words.

    >>> from hopref.check.peers.commands import options_of
    >>> options_of({"convention": "torch-sdpa", "returns": ("Q", "K"), "given": {"scale": 1.0}})
    ['--convention', 'torch-sdpa', '--returns', 'Q,K', '--set', 'scale=1.0']
    """
    line, default = [], {"array": own_array(record.get("convention", "")), "mask": ""}
    for field, option in WORDS.items():
        value = record.get(field, default.get(field)) or ""
        if value != default.get(field, ""):
            line += [f"--{option}", value if isinstance(value, str) else ",".join(value)]
    for field, option in TABLES.items():
        for k, v in record.get(field, {}).items():
            line += [f"--{option}", f"{k}={v}"]
    lead = record.get("lead")
    return line + ([] if lead is None else ["--lead", str(lead)])


def repeating(words):
    """The function of "case" or "input", its value and the seed that completes a command."""
    line = shlex.join(words)
    return lambda kind, value, seed: f"{line} --{kind} {shlex.quote(value)} --seed {seed}"
