"""From what the user typed to what the pipeline takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cfgc.load.disk import DiskReader, find_project
from cfgc.load.reader import Reader
from cfgc.resources import shipped_dir

SHIPPED_EXAMPLE = "cfgc:"


@dataclass(frozen=True)
class Session:
    """One spec on disk: its reader, logical name, project root and the overrides that apply."""

    reader: Reader
    logical: str
    root: Path
    overrides: tuple[str, ...]


def open_spec(spec: str, overrides: Iterable[str] = ()) -> Session:
    """The session of a spec path, or of a shipped spec (``cfgc:examples/quickstart.toml``)."""
    if spec.startswith(SHIPPED_EXAMPLE):
        root, logical = Path.cwd(), spec
    else:
        root, logical = find_project(Path(spec))
    return Session(DiskReader(root, shipped_dir("specs")), logical, root, tuple(overrides))


def is_override(argument: str) -> bool:
    """True for ``a.b=1``, ``zero=3``, ``~a.b``; a spec's path has no ``=`` and ends in .toml."""
    return argument.startswith("~") or ("=" in argument and not argument.endswith(".toml"))


def default_out(root: Path, name: str) -> Path:
    """``out/<name>`` of the project when it has a cfgc.toml, else of the current directory."""
    base = root if (root / "cfgc.toml").is_file() else Path.cwd()
    return base / "out" / name
