"""Sweeps: one spec becomes many points, each compiled as if its settings stood on the command line."""
