"""The formulas, one model in each module."""
