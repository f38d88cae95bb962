"""The validate phase: schema, then rules; all findings at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.resolve.resolved import Resolved
from cfgc.schema.spec import Spec
from cfgc.validate.rules import RULES
from cfgc.validate.schema_check import check_schema
from cfgc.validate.secrets import find_secrets
from cfgc.validate.supported import check_supported
from cfgc.validate.waivers import apply_waivers

if TYPE_CHECKING:
    from cfgc.source import SourceFile


@dataclass(frozen=True)
class Checked:
    """A spec that holds: typed, with origins, and the warnings that were not waived."""

    spec: Spec
    resolved: Resolved
    warnings: tuple[Diagnostic, ...]


def check_resolved(resolved: Resolved) -> Checked:
    """Validate ``resolved``. Raises ``Rejected`` with every finding, in the order of their places."""
    spec, schema = check_schema(resolved)
    findings = [*schema, *find_secrets(resolved)]
    if spec is None:
        raise Rejected(in_order(resolved, findings))
    findings += check_supported(spec, resolved)
    for rule in RULES:
        findings += rule(spec, resolved)
    kept = in_order(resolved, apply_waivers(spec, findings))
    if any(d.severity == "error" for d in kept):
        raise Rejected(kept)
    return Checked(spec, resolved, kept)


def in_order(resolved: Resolved, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings of the spec itself first, then those of its bases and overlays, each by place."""
    return tuple(sorted(findings, key=lambda d: _rank(resolved.graph.root, d)))


def _rank(root: SourceFile, finding: Diagnostic) -> tuple[bool, str, int, str]:
    if finding.primary is None:
        return True, "", 0, finding.code
    span = finding.primary.span
    return span.source.logical != root.logical, span.source.logical, span.start, finding.code
