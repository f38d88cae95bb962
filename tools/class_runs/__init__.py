"""Proof by running that a key has the class that it declares: tiny trainings that differ in one key."""
