"""``[checks] allow``: which findings may pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics.explain import known_codes
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

CODE = re.compile(r"CFG\d{3}")


def waived_codes_exist(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG448: a waiver names a code that cfgc has."""
    for code in spec.checks.allow:
        if code in known_codes() or not CODE.fullmatch(code):
            continue
        yield error(
            "CFG448",
            f"there is no code {code} to waive",
            resolved,
            [At(f"checks.allow.{code}", "unknown code")],
            (),
            ("copy the code from the warning itself, where it is in brackets: `warning[CFG431]`",),
        )
