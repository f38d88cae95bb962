"""``[checks]``: which warnings pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.schema.spec import AnySpec


def apply_waivers(spec: AnySpec, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """``findings`` without the waived warnings; the warnings that are left become errors when the spec denies them."""
    kept = (d for d in findings if d.severity == "error" or d.code not in spec.checks.allow)
    return tuple(replace(d, severity="error") if spec.checks.deny_warnings else d for d in kept)
