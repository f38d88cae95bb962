"""Validate: the closed schema, then cross-field rules."""
