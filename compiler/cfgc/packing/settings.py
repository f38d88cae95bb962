"""What ``[package]`` asks for, read before anything is validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved

Kind: TypeAlias = Literal["git", "files", "both"]
KINDS: tuple[Kind, ...] = ("git", "files", "both")


@dataclass(frozen=True)
class Settings:
    """``include`` and ``exclude`` are patterns of paths below ``subdirectory``, ``""`` for the project's root.

    ``commit`` is empty for the newest; ``out`` is where the project's bundles go.
    """

    kind: Kind
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    subdirectory: str = ""
    commit: str = ""
    with_changes: bool = False
    out: str = "out"

    def below(self, path: str) -> str:
        """``path`` of the package as a path of the project."""
        return f"{self.subdirectory}/{path}" if self.subdirectory else path


def settings_of(resolved: Resolved, out: str) -> Settings | None:
    """None where nothing is packed, or where a value is none that the schema takes."""
    kind = _value(resolved, "kind")
    include, exclude = (_texts(_value(resolved, name)) for name in ("include", "exclude"))
    subdirectory, commit = (_value(resolved, name) or "" for name in ("subdirectory", "commit"))
    if include is None or exclude is None:
        return None
    if not isinstance(subdirectory, str) or not isinstance(commit, str):
        return None
    if kind not in KINDS:
        return None
    changes = _value(resolved, "dirty") == "include"
    folder = subdirectory.rstrip("/") or subdirectory  # a slash alone names the machine's root, which is refused
    return Settings(kind, include, exclude, folder, commit, changes, out)


def _value(resolved: Resolved, name: str) -> object:
    leaf = resolved.get(f"package.{name}")
    return leaf.value if leaf else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        return None
    return tuple(cast("list[str]", value))
