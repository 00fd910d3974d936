"""``hopref ops [NAME...]``: list the operations with shapes, paths and catalogue ids."""
from difflib import get_close_matches

from hopref.cli.output import add_json, print_json, print_table
from hopref.dispatch.operation import descent_of, gradient_of, load
from hopref.errors import CallError

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="a module such as modern, or an operation such as modern.update")
    add_json(parser)


def run(options):
    """Print one row for each operation."""
    ops = chosen(options.names)
    rows = [{"name": o.name, "shapes": o.shapes, "paths": list(o.paths), "ids": list(o.ids),
             "energy": o.lowers and o.lowers[0].name, "descent": descent_of(o),
             "condition": o.lowers and o.lowers[1], "parts": o.parts, "source": o.source,
             "gradient": gradient_of(o) and gradient_of(o).name}
            for o in ops]
    if options.json:
        print_json({"schema": "hopref.ops/1", "ops": rows})
    else:
        print_table(["name", "energy", "descent", "gradient", "parts", "paths", "shapes, source"],
                    [[r["name"], "no energy" if r["descent"] == "none" else r["energy"],
                      r["descent"], r["gradient"] and "yes", r["parts"], " ".join(r["paths"]),
                      f"{r['shapes']}  {r['source']}"] for r in rows])
    return 0


def chosen(names):
    """The operations with these names or in these modules; all without names."""
    ops = [op for _, op in sorted(load().items())]
    known = {op.name for op in ops} | {op.name.rpartition(".")[0] for op in ops}
    for name in names:
        if name not in known:
            near = " or ".join(get_close_matches(name, sorted(known), 3))
            raise CallError(f"no operation and no module of operations is called {name!r}"
                            + (f" (did you mean {near}?)" if near else ""))
    return [op for op in ops if not names
            or any(op.name == name or op.name.startswith(f"{name}.") for name in names)]
