"""Catalogue of the rules, energies, maps, estimators, gradients and bounds in hopref.

A file of ``catalogue.d`` is a family: the file name is the prefix of its identifiers, and it holds
a title and numbered statements.  The ledger lists each statement with its functions, laws and
pages.
"""
import tomllib
from pathlib import Path

__all__ = ["FAMILIES", "CATALOGUE"]


def read():
    """{prefix: (title, {number: statement})} of every family."""
    families = {}
    for file in sorted(Path(__file__).with_name("catalogue.d").glob("*.toml")):
        lines = tomllib.loads(file.read_text(encoding="utf-8"))
        title = lines.pop("title")
        families[file.stem] = title, {int(number): line for number, line in lines.items()}
    return families


FAMILIES = read()
CATALOGUE = {f"{prefix}-{number}": line for prefix, (_, lines) in FAMILIES.items()
             for number, line in lines.items()}
