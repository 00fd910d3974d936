"""Right values and derived tolerances, for any operation and arithmetic."""
