"""What DeepSpeed makes of a ds_config beyond its keys: each a small function with one code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

Rule: TypeAlias = "Callable[[Case], Iterator[Diagnostic]]"
"""It yields what it finds, and never raises, whatever the config holds."""

RULES: tuple[Rule, ...] = ()
"""Every rule, in the order of the codes."""
