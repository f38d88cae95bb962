"""Resolve: merges layers, applies overrides, evaluates interpolations."""
