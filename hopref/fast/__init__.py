"""Faster paths: the names, arguments and answers of ``hopref.models``, sooner."""
