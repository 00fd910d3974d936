"""Calls of ``hopref check`` in this process."""
import argparse

from hopref.cli import check as command

__all__ = ["hopref_check"]


def hopref_check(*words):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, words))))
