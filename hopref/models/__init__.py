"""The formulas, a model a file."""
