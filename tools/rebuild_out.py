"""Rebuild the committed example bundles in out/ through the same command line that users have."""

from __future__ import annotations

import sys
from pathlib import Path

from cfgc.cli import run

REPOSITORY = Path(__file__).resolve().parent.parent
COMMITTED = ("quickstart", "8xa100-zero2", "16xh100-zero3")
"""Names of the examples whose bundles are committed."""


def main() -> int:
    """Build each committed example; the first failing code ends it."""
    for name in COMMITTED:
        spec = REPOSITORY / "specs" / "examples" / f"{name}.toml"
        code = run(["build", str(spec), "-o", str(REPOSITORY / "out" / name)])
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
