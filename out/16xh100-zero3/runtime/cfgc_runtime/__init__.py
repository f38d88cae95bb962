"""What runs on the node: torch, DeepSpeed and the standard library; never the compiler."""

__version__ = "0.1.0"
