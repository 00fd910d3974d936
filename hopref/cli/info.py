"""``hopref info``: print the versions of hopref and the packages that it uses."""
from hopref.cli.output import add_json
from hopref.versions import show_versions

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    add_json(parser)


def run(options):
    """Print the versions."""
    show_versions(as_json=options.json)
    return 0
