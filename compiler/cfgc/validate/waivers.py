"""``[checks]``: which warnings pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.validate.places import key_label

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

_CODE = re.compile(r"CFG\d{3}")


def apply_waivers(spec: Spec, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """``findings`` without the waived warnings; what is left of them become errors when warnings are denied."""
    kept = (d for d in findings if d.severity == "error" or d.code not in spec.checks.allow)
    return tuple(replace(d, severity="error") if spec.checks.deny_warnings else d for d in kept)


def check_waivers(spec: Spec, resolved: Resolved, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """A finding for each waiver that cannot be granted: no code, no reason, or an error."""
    errors = {d.code for d in findings if d.severity == "error"}
    for code, reason in spec.checks.allow.items():
        problem = _problem(code, reason, code in errors)
        if problem:
            yield Diagnostic(
                "CFG319",
                f"the waiver of `{code}` cannot be granted",
                key_label(resolved, ("checks", "allow", code), problem),
                notes=("only warnings can be waived, one code each, with a reason that PLAN.md shows",),
                helps=('write `allow = { CFG431 = "why this is fine here" }` under `[checks]`',),
            )


def _problem(code: str, reason: str, is_error: bool) -> str:
    if not _CODE.fullmatch(code):
        return "not a diagnostic code"
    if is_error:
        return "this is an error, which must be mended"
    return "" if reason.strip() else "it has no reason"
