"""The closed schema of a spec: every key with its type, range, unit, class and documentation."""
