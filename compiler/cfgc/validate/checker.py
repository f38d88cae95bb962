"""The validate phase: schema, then rules; all findings at once."""

from __future__ import annotations

from dataclasses import dataclass

from cfgc.diagnostics import Diagnostic
from cfgc.resolve.resolved import Resolved
from cfgc.schema.spec import Spec


@dataclass(frozen=True)
class Checked:
    """A spec that holds: typed, with origins, and the warnings that were not waived."""

    spec: Spec
    resolved: Resolved
    warnings: tuple[Diagnostic, ...]


def check_resolved(resolved: Resolved) -> Checked:
    """Validate ``resolved``. Raises ``Rejected`` with every error, in file order."""
    raise NotImplementedError
