"""The compiler for training runs: a TOML experiment spec in, a self-contained launch bundle out."""

__version__ = "0.1.0"
