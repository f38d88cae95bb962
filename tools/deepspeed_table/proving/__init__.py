"""Holding the table against the DeepSpeed that is installed, whichever release it is."""
