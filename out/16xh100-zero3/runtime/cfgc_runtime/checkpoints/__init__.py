"""Checkpoints of a run: complete and verified, or not there at all."""
