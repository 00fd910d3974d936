"""Command line of hopref, with one module for each command.

Exit codes: 0 success, 1 the command found a failure, 2 wrong usage or a command that could not be
carried out.  The module of a command, and with it NumPy, is imported only if the command is chosen.
"""
import argparse
import os
import sys
from importlib import import_module

__all__ = ["main", "COMMANDS"]

EPILOG = "Exit codes: 0 success, 1 a failure was found, 2 wrong usage.  Every command takes --json."

# name: (summary, module with `configure(parser)` and `run(options)`)
COMMANDS = {
    "check": ("test an implementation against certified values and formulas", "hopref.cli.check"),
    "scaling": ("measure how memory, work and time of a function grow with a size",
                "hopref.cli.scaling"),
    "atlas": ("write a page on how the published implementations that are installed here differ",
              "hopref.cli.atlas"),
    "retrieve": ("store pictures, corrupt them, retrieve them by one rule or several",
                 "hopref.cli.retrieve"),
    "reproduce": ("reproduce the figures of the blog and the statements of the papers",
                  "hopref.cli.reproduce"),
    "diagnose": ("explain why patterns cannot be retrieved", "hopref.cli.diagnose"),
    "certify": ("evaluate an operation with a proved bound on the error", "hopref.cli.certify"),
    "vectors": ("list, export and verify golden vectors for other languages, or judge by them",
                "hopref.cli.vectors"),
    "ops": ("list the operations with shapes, paths and catalogue ids", "hopref.cli.ops"),
    "warmup": ("compile the kernels of the numba paths ahead of their first use",
               "hopref.cli.warmup"),
    "gpu-check": ("judge and time the paths on this machine's CUDA device",
                  "hopref.cli.gpu_check"),
    "info": ("print the versions of hopref and the packages that it uses", "hopref.cli.info"),
}


def main(argv=None):
    """Run one command and return its exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    chosen = next((word for word in argv if word in COMMANDS), None)
    try:
        options = _parser(chosen).parse_args(argv)
        code = options.run(options)
        sys.stdout.flush()
        return code
    except SystemExit as leave:                 # argparse: 0 for --help, 2 for wrong usage
        return leave.code or 0
    except BrokenPipeError:                     # the reader closed the pipe: `hopref ops | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _report("interrupted", 130)
    except Exception as error:
        if not _is_user_error(error):
            raise
        return _report(error, 2)


def _is_user_error(error):
    """Whether one line explains the error; any other exception is a bug and keeps its traceback."""
    from hopref.errors import HoprefError
    return isinstance(error, (HoprefError, OSError, MemoryError)) \
        or isinstance(error, ImportError) and "must be installed" in str(error)


def _report(error, code):
    message = f"{error.filename}: {error.strerror}" if getattr(error, "strerror", None) else error
    print(f"hopref: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def _parser(chosen):
    parser = argparse.ArgumentParser(
        prog="hopref", epilog=EPILOG, formatter_class=_formatter,
        description="Reference implementations of Hopfield networks and Performer attention.")
    parser.add_argument("-V", "--version", action=_Version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=_sentence(summary),
                                      epilog=EPILOG, formatter_class=_formatter)
        if name == chosen:
            implementation = import_module(module)
            implementation.configure(command)
            command.set_defaults(run=implementation.run)
    return parser


def _formatter(prog):
    return argparse.HelpFormatter(prog, max_help_position=26)


def _sentence(summary):
    return f"{summary[0].upper()}{summary[1:]}."


class _Version(argparse.Action):
    """Option ``--version``, which imports nothing but the version number."""

    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser, *_):
        from hopref._version import __version__
        print(f"hopref {__version__}")
        parser.exit()
