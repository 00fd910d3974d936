"""Inputs to judge an operation by, drawn from its declaration."""
