"""``python -m cfgc``."""

from __future__ import annotations

from cfgc.cli import main

if __name__ == "__main__":
    main()
