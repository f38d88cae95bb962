"""What job.sbatch asks of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, error, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

GRES, CPUS = "cluster.gres", "cluster.cpus_per_task"

GRES_NAME = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?")
"""A name and a type, without a count."""

MAIL_TYPES = frozenset(
    {"NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT", "ARRAY_TASKS"}
    | {"TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50"}
)
"""What sbatch's manual lists for ``--mail-type``."""


def gres_has_no_count(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG608: the number of GPUs has one home."""
    gres = spec.cluster.gres
    if not gres or GRES_NAME.fullmatch(gres):
        return
    name = gres.split(":")
    yield error(
        "CFG608",
        f"`cluster.gres` is a name and a type, and `{gres}` is more or less than that",
        resolved,
        [At(GRES, "spelling only"), At("launch.gpus_per_node", f"{spec.launch.gpus_per_node}, the count")],
        ("the count is added from `launch.gpus_per_node`",),
        (f'set `gres = "{":".join(part for part in name[:2] if part and not part[0].isdigit()) or "gpu"}"`',),
    )


def gres_has_gpus(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG609: a CPU run asks for no GPUs."""
    if not spec.cluster.gres or spec.hardware.device == "cuda":
        return
    yield warning(
        "CFG609",
        "`cluster.gres` has no effect on a CPU run",
        resolved,
        [At(GRES, "not asked for"), At("hardware.device", "no GPU")],
        (),
        ('set `cluster.gres = ""`, or choose GPU hardware',),
    )


def ranks_have_cpus(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG610: the job asks for a CPU for each thread of its ranks."""
    asked, launch = spec.cluster.cpus_per_task, spec.launch
    need = launch.gpus_per_node * launch.threads_per_rank
    if asked is None or asked >= need:
        return
    yield warning(
        "CFG610",
        f"{need} threads share {asked} CPUs on each node",
        resolved,
        [
            At(CPUS, f"{asked} CPUs"),
            At("launch.threads_per_rank", f"{launch.threads_per_rank} threads"),
            At("launch.gpus_per_node", f"{launch.gpus_per_node} ranks"),
        ],
        (f"{launch.gpus_per_node} ranks × {launch.threads_per_rank} threads = {need}",),
        (f"set `cpus_per_task = {need}`, or drop it: it follows",),
    )


def mail_has_both(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG611: mail needs somebody and something to tell."""
    user, events = spec.cluster.mail_user, spec.cluster.mail_type
    if bool(user) == bool(events):
        return
    missing = "mail_type" if user else "mail_user"
    written = At("cluster.mail_user", "who") if user else At("cluster.mail_type", "which events")
    example = '["END", "FAIL"]' if user else '"you@example.org"'
    yield warning(
        "CFG611",
        f"no mail is sent without `cluster.{missing}`",
        resolved,
        [written],
        (),
        (f"add `{missing} = {example}`",),
    )


def mail_events_exist(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG616: Slurm knows the event."""
    for event in spec.cluster.mail_type:
        if event.upper() in MAIL_TYPES:
            continue
        yield error(
            "CFG616",
            f"Slurm has no mail event `{event}`",
            resolved,
            [At("cluster.mail_type", "unknown event")],
            (f"events: {', '.join(sorted(MAIL_TYPES))}",),
            ('set `mail_type = ["END", "FAIL"]`',),
        )
