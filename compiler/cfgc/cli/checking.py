"""``cfgc check``: everything but writing."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.cli.session import open_spec
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.lower.lowering import lower_spec
from cfgc.pipeline import check_spec


def check_one(spec: str, overrides: Sequence[str]) -> tuple[Diagnostic, ...]:
    """All that cfgc has to say of one spec. A spec that is lowered can be emitted, so emission is left out."""
    session = open_spec(spec, overrides)
    try:
        checked = check_spec(session.reader, session.logical, session.overrides)
        lower_spec(checked)
    except Rejected as rejected:
        return session.from_here(rejected.diagnostics)
    return session.from_here(checked.warnings)
