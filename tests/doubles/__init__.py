"""Stand-ins that pose as something a plain machine lacks."""
