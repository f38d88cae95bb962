"""Run directories as they lie on a disk: what a run is, how it stands, and what it measured. Nothing is changed."""
