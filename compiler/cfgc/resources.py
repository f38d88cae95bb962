"""Files that come with cfgc: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 - pathlib is slow to import


def shipped_path(name: str) -> str:
    """The shipped directory ``templates``, ``specs`` or ``runtime`` (the latter's ``__main__.py`` only)."""
    installed = f"{PACKAGE}/_{name}"
    return installed if os.path.isdir(installed) else os.path.normpath(f"{PACKAGE}/../../{name}")  # noqa: PTH112


def shipped_dir(name: str) -> Path:
    """``shipped_path`` as a path."""
    from pathlib import Path

    return Path(shipped_path(name))
