"""Calls of a candidate, in this process or another, and what is concluded from them."""
