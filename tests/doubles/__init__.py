"""Test doubles of packages and devices that may be absent."""
