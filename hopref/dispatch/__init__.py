"""Declare an operation once, validate its arguments, choose its path."""
