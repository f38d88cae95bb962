"""Pipelines: each stage of a spec is compiled as a run of its own."""
