"""``hopref ops``: list the operations with shapes, paths and catalogue ids."""
from hopref.cli.output import add_json, print_json, print_table
from hopref.dispatch.operation import descent_of, gradient_of, load

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    add_json(parser)


def run(options):
    """Print one row for each operation."""
    rows = [{"name": o.name, "shapes": o.shapes, "paths": list(o.paths), "ids": list(o.ids),
             "energy": o.lowers and o.lowers[0].name, "descent": descent_of(o),
             "condition": o.lowers and o.lowers[1], "parts": o.parts, "source": o.source,
             "gradient": gradient_of(o) and gradient_of(o).name}
            for _, o in sorted(load().items())]
    if options.json:
        print_json({"schema": "hopref.ops/1", "ops": rows})
    else:
        print_table(["name", "energy", "descent", "gradient", "parts", "paths", "shapes, source"],
                    [[r["name"], "no energy" if r["descent"] == "none" else r["energy"],
                      r["descent"], r["gradient"] and "yes", r["parts"], " ".join(r["paths"]),
                      f"{r['shapes']}  {r['source']}"] for r in rows])
    return 0
