"""Output of the commands: JSON and aligned tables."""
import json

__all__ = ["add_json", "print_json", "print_table"]


def add_json(parser):
    """Add the option ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def print_json(content):
    """Print ``content`` as JSON; NaN and infinity are refused."""
    print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns, rows):
    """Print rows under their column heads, left-aligned."""
    rows = [[str(c) for c in columns], *([_cell(v) for v in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
