"""What the project holds of the user's own code that a spec names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from cfgc.source import SourceFile

if TYPE_CHECKING:
    from cfgc.packing.packing import Packed


@dataclass(frozen=True)
class UserCode:
    """Sources of named modules by dotted name, and the named script; what the project does not hold is not there.

    ``packed`` is what ``[package]`` asks for, None where it asks for nothing.
    """

    modules: Mapping[str, SourceFile] = field(default_factory=lambda: MappingProxyType({}))
    script: bytes | None = None
    packed: Packed | None = None
