"""What a change of a setting changes: the three classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

FieldClass: TypeAlias = Literal["numerics", "resources", "logistics"]
"""What a change of a setting changes: the loss curve, what the run needs, or only how it is run."""


@dataclass(frozen=True)
class Classed:
    """A class, and why it is that one: a sentence."""

    kind: FieldClass
    why: str
