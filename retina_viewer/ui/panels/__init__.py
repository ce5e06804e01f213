"""The inspector: one panel a file."""
