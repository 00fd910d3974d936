"""Faster paths: the same names, the same arguments, the same answers as ``hopref.models``, sooner."""
