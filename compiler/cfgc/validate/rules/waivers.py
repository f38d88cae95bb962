"""``[checks] allow``: which findings may pass."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cfgc.diagnostics.explain import known_codes
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec


def waived_codes_exist(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG448: a waiver names a code that cfgc has."""
    for code in spec.checks.allow:
        if code in known_codes():
            continue
        near = get_close_matches(code.upper(), known_codes(), n=1)
        yield error(
            "CFG448",
            f"there is no code {code} to waive",
            resolved,
            [At(f"checks.allow.{code}", "unknown code")],
            (),
            (f"did you mean `{near[0]}`?" if near else "the code is in brackets after `warning`, such as `CFG431`",),
        )


def waived_codes_are_warnings(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG449: an error can't be waived, and a waiver says why."""
    for code, reason in spec.checks.allow.items():
        if code in known_codes() and code not in WARNINGS:
            yield error(
                "CFG449",
                f"{code} is an error, and only warnings can be waived",
                resolved,
                [At(f"checks.allow.{code}", "an error")],
                ("a bundle that is known not to run is not written",),
                (f"drop it, and see `cfgc explain {code}` for what to change",),
            )
        elif code in WARNINGS and not reason.strip():
            yield error(
                "CFG449",
                f"the waiver of {code} has no reason",
                resolved,
                [At(f"checks.allow.{code}", "empty")],
                ("the reason is shown to the reviewer in PLAN.md",),
                (f'{code} = "why this is fine here"',),
            )


WARNINGS = frozenset(
    f"CFG{number}"
    for number in (
        *(415, 416, 417, 426, 427, 428, 430, 431, 434, 435, 436, 437, 438, 446),
        *(501, 505, 506, 509, 511, 512, 513, 514, 515, 523),
        *(603, 607, 609, 610, 611, 612, 615),
    )
)
"""Every code that is a warning."""
