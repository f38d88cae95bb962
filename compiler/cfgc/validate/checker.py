"""The validate phase: schema, then rules; all findings at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.overrides import COMMAND_LINE
from cfgc.lower.plan_sweep import SINGLE, Sweep
from cfgc.resolve.resolved import Resolved
from cfgc.schema.spec import AnySpec, TaskSpec
from cfgc.validate.beyond import Doubtful, untouched, without_refused, without_unresolved
from cfgc.validate.missing import says_nothing
from cfgc.validate.rules import RULES, SHARED_RULES
from cfgc.validate.schema_check import Refused, check_schema
from cfgc.validate.secrets import find_secrets
from cfgc.validate.supported import judge
from cfgc.validate.tasks import without_training
from cfgc.validate.waivers import apply_waivers

if TYPE_CHECKING:
    from cfgc.source import SourceFile

ATTEMPTS = 3
"""How often refused keys are put right before the rules are given up: a key may be mistyped, and its value bad."""


@dataclass(frozen=True)
class Checked:
    """A spec that holds: typed, with origins, and the warnings that were not waived.

    Of a sweep it is the first point, and ``sweep`` has all of them.
    """

    spec: AnySpec
    resolved: Resolved
    warnings: tuple[Diagnostic, ...]
    sweep: Sweep = SINGLE


def check_resolved(resolved: Resolved) -> Checked:
    """Validate ``resolved``. Raises ``Rejected`` with every finding, in the order of their places."""
    resolved, of_training = without_training(resolved)
    spec = check_schema(resolved)
    secrets = [*find_secrets(resolved), *of_training]
    if isinstance(spec, Refused) or resolved.findings or resolved.graph.findings:
        raise Rejected(in_order(resolved, [*secrets, *_all_that_is_wrong(resolved)]))
    kept = in_order(resolved, apply_waivers(spec, [*secrets, *_judge(spec, resolved)]))
    if any(d.severity == "error" for d in kept):
        raise Rejected(kept)
    return Checked(spec, resolved, kept)


def _judge(spec: AnySpec, resolved: Resolved) -> list[Diagnostic]:
    """What is not supported yet, and what the rules find."""
    return judge(spec, resolved, lambda judged: list(_ruled(judged, resolved)))


def _ruled(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    for shared in SHARED_RULES:
        yield from shared(spec, resolved)
    if isinstance(spec, TaskSpec):
        return
    for rule in RULES:
        yield from rule(spec, resolved)
    if spec.deepspeed.raw:
        from cfgc.validate.raw_config import judge_raw  # and all rules of ds_configs, which nothing else has a use for

        yield from judge_raw(spec, resolved)


def _all_that_is_wrong(resolved: Resolved) -> Iterator[Diagnostic]:
    """Findings of every phase up to here; none that only follows from another."""
    yield from resolved.graph.findings
    whole, doubtful = without_unresolved(resolved)
    spec = check_schema(whole)
    empty = says_nothing(resolved)
    if empty:
        yield empty
        return
    if isinstance(spec, Refused):
        yield from spec.findings
    refused: Doubtful = {}
    for attempt in range(ATTEMPTS):
        if isinstance(spec, Refused):
            whole, more = without_refused(whole, spec.locations, again=attempt > 0)
            refused |= more
            spec = check_schema(whole)
    written = {path: leaf for path, leaf in doubtful.items() if path not in resolved.unresolved}
    yield from untouched(resolved.findings, {**written, **refused}) if written or refused else resolved.findings
    if not isinstance(spec, Refused):
        yield from untouched(_judge(spec, whole), {**doubtful, **refused})


def in_order(resolved: Resolved, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings of the spec itself first, then those of its bases and overlays, each by place."""
    return tuple(sorted(findings, key=lambda d: _rank(resolved.graph.root, d)))


def _rank(root: SourceFile, finding: Diagnostic) -> tuple[bool, str, int, str]:
    if finding.primary is None:
        return True, "", 0, finding.code
    span = finding.primary.span
    if span.source.logical == COMMAND_LINE:  # each override is a text of its own: they stay as they were given
        return True, COMMAND_LINE, 0, ""
    return span.source.logical != root.logical, span.source.logical, span.start, finding.code
