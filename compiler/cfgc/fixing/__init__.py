"""Fixes: what a diagnostic says as edits, applied to TOML and JSON without touching anything else."""
