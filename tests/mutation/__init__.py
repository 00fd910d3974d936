"""Mutants of hopref's own source, and how many of them its vectors and tests kill.

    python -m tests.mutation [PACKAGE...] [--sample N] [--seed S] [--out FILE]
"""
