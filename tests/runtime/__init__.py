"""Tests of what a bundle executes."""
