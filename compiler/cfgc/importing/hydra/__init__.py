"""A Hydra tree: its defaults lists, its interpolation, and where its keys go."""
