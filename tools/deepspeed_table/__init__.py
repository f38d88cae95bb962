"""Reads what every release of DeepSpeed takes in a ds_config out of its published source, and writes it as one table.

Nothing here imports DeepSpeed, but ``proving``, which holds the table against an installed one.
"""
