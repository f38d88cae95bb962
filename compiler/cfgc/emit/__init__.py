"""Emit: a plan becomes texts."""
