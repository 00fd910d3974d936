"""Faster paths with the names, arguments and results of ``hopref.models``."""
