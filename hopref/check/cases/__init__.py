"""Inputs for judging an operation, drawn from its declaration."""
