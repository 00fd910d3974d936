"""Compiled vector-Jacobian products, with one file for each module of `hopref.gradients`."""
