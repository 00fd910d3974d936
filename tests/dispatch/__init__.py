"""Tests of validation and of the choice of a path."""
