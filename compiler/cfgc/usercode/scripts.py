"""Scripts of a task: where they are, and what runs them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

OWN_PYTHON = ("python",)
"""The run's own interpreter, that of ``launch.python``."""

_BY_SUFFIX = {".py": OWN_PYTHON, ".sh": ("bash",), ".bash": ("bash",)}


def script_problem(path: str | None, text: bytes | None) -> tuple[str, str] | None:
    """What is wrong with a script of the project, and what to do; None when it can be copied."""
    if path is not None and (path.startswith("/") or ".." in path.split("/")):
        return (
            "not below the project",
            "name it by its path from the project's root; a script elsewhere is no part of it",
        )
    if text is None:
        return (
            "there is no such file, or it cannot be read, or it has more than 256 KiB",
            "name a file by its path from the project's root",
        )
    if not text.strip():
        return "it is empty", "write what is to be run into it"
    return None


def interpreter_of(path: str, text: bytes) -> tuple[str, ...] | None:
    """The words before the script: those of its first line, else by the end of its name; None when nothing says."""
    first = text.partition(b"\n")[0].decode("utf-8", "replace")
    if first.startswith("#!"):
        words = tuple(first[2:].split())
        return OWN_PYTHON if words and re.search(r"(^|/)python[0-9.]*$", " ".join(words[-1:])) else words or None
    return _BY_SUFFIX.get(PurePosixPath(path).suffix) if path else ("bash",)
