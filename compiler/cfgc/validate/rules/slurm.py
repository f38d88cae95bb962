"""What job.sbatch asks of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import tasks_per_node_of
from cfgc.validate.rules.finding import GIB, At, count, error, gib, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

GRES, CPUS = "cluster.gres", "cluster.cpus_per_task"

GRES_NAME = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?")
"""A name and a type, without a count."""

MAIL_TYPES = frozenset(
    {"NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT", "ARRAY_TASKS"}
    | {"TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50"}
)
"""What sbatch's manual lists for ``--mail-type``."""


def gres_has_no_count(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
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


def gres_has_gpus(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
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


def ranks_have_cpus(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG610: the job asks for a CPU for each thread of its ranks."""
    asked, launch = spec.cluster.cpus_per_task, spec.launch
    ranks = launch.gpus_per_node // tasks_per_node_of(spec)
    need = ranks * launch.threads_per_rank
    if asked is None or asked >= need:
        return
    yield warning(
        "CFG610",
        f"{count(need, 'thread')} {'shares' if need == 1 else 'share'} {count(asked, 'CPU')} in each task of Slurm's",
        resolved,
        [
            At(CPUS, count(asked, "CPU")),
            At("launch.threads_per_rank", count(launch.threads_per_rank, "thread")),
            At("launch.gpus_per_node", count(launch.gpus_per_node, "rank")),
        ],
        (
            f"{count(ranks, 'rank')} × {count(launch.threads_per_rank, 'thread')} = {need}; {launch.launcher} has "
            + ("one task on each node" if launch.launcher == "torchrun" else "one task for each rank"),
        ),
        (f"set `cpus_per_task = {need}`, or drop it: it follows",),
    )


def ranks_have_memory(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG618: the job asks for enough memory to start Python with torch in each rank."""
    asked, ranks = spec.cluster.memory_per_node, spec.launch.gpus_per_node
    if asked == 0 or asked >= ranks * GIB:
        return
    yield warning(
        "CFG618",
        "the job asks for too little memory to start its ranks",
        resolved,
        [At("cluster.memory_per_node", gib(asked)), At("launch.gpus_per_node", count(ranks, "rank"))],
        (f"{gib(asked // ranks)} for each rank on a node; torch alone needs about 1 GiB",),
        ("set `memory_per_node = 0` for all of the node's memory", f'or set `memory_per_node = "{16 * ranks}GiB"`'),
    )


def mail_has_both(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
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


def mail_events_exist(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
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
