"""A small project of its own: it knows nothing of cfgc, and trains through the targets that its specs name."""
