"""Measurements of the installed hopref: see README.md."""
