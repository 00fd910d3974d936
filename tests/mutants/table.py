"""All laws, all mutants, and who claims to kill whom."""
import importlib
import pkgutil

from tests import laws, mutants

LAWS, MUTANTS = laws.everywhere(), mutants.MUTANTS
for _room in pkgutil.iter_modules(mutants.__path__):
    if not _room.name.startswith(("_", "table", "test_")):
        importlib.import_module(f"tests.mutants.{_room.name}")

CLAIMS = [(law, name) for law in LAWS for name in LAWS[law].kills]


def shown(value):
    """A number or name as it is, an array by its shape."""
    shape = getattr(value, "shape", ())
    return "x".join(map(str, shape)) if shape else value


def line(law, mutant, witness):
    """``modern.update: beta in the scores ...  <-  law  |  said  |  case``."""
    case, said = witness
    numbers = " ".join(f"{k}={shown(v)}" for k, v in case.items())
    first = (said.splitlines() or [""])[0]
    return (f"{MUTANTS[mutant].op}: {MUTANTS[mutant].bug}\n    killed by "
            f"{LAWS[law].name.removeprefix('test_').replace('_', ' ')} [{LAWS[law].id}]\n"
            f"    at {numbers or 'its fixed experiment'}: {first[:90]}")
