"""The conformance kit: judge any implementation against the formulas."""
