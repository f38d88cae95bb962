"""What the job asks for, against what the profile of the cluster says of its partition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import requeues
from cfgc.arithmetic.of_spec import cpus_per_task_of, tasks_per_node_of
from cfgc.nearest import nearest
from cfgc.schema.units import format_duration
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import GIB, At, count, error, gib, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.site import Partition
    from cfgc.schema.spec import AnySpec

PARTITION, PARTITIONS = "cluster.partition", "cluster.partitions"


@dataclass(frozen=True)
class _Known:
    """The partition that the job goes to, and its place in the profile."""

    facts: Partition
    place: int

    def at(self, key: str, text: str) -> At:
        return At(PARTITIONS, text, (self.place, key))


def _of(spec: AnySpec) -> _Known | None:
    known = enumerate(spec.cluster.partitions)
    return next((_Known(one, place) for place, one in known if one.name == spec.cluster.partition), None)


def partitions_are_known(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG627: the profile knows each partition that is asked for; several are written with commas."""
    names = [one.name for one in spec.cluster.partitions]
    for asked in spec.cluster.partition.split(",") if names and spec.cluster.partition else ():
        if asked in names:
            continue
        near = nearest(asked, names) or names[0]
        yield error(
            "CFG627",
            f"this cluster has no partition `{asked}`",
            resolved,
            [At(PARTITION, "not in the profile"), At(PARTITIONS, ", ".join(names))],
            (),
            (f'set `partition = "{near}"`',),
        )


def partitions_differ(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG638: what is known of a partition is said once."""
    first: dict[str, int] = {}
    for place, one in enumerate(spec.cluster.partitions):
        if first.setdefault(one.name, place) == place:
            continue
        yield error(
            "CFG638",
            f"the partition `{one.name}` is described twice",
            resolved,
            [At(PARTITIONS, "again", (place, "name")), At(PARTITIONS, "first", (first[one.name], "name"))],
            (),
            ("drop one of them",),
            one_fix(Remedy(resolved).drop(("cluster", "partitions", place))),
        )


def time_fits(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG628: the partition runs jobs for so long."""
    known, asked = _of(spec), spec.launch.time_limit
    if known is None or not 0 < known.facts.time_limit < asked:
        return
    longest = format_duration(known.facts.time_limit)
    yield error(
        "CFG628",
        f"the partition `{known.facts.name}` runs no job for {format_duration(asked)}",
        resolved,
        [At("launch.time_limit", "asked for"), known.at("time_limit", f"{longest} at most")],
        ("sbatch refuses the job, or leaves it in the queue for ever",),
        (f'set `time_limit = "{longest}"`: the run goes on in its next attempt', *_roomier(spec, "time_limit", asked)),
    )


def nodes_fit(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG629: a job may have so many nodes."""
    known, asked = _of(spec), spec.launch.nodes
    if known is None or not 0 < known.facts.max_nodes < asked:
        return
    yield error(
        "CFG629",
        f"a job of the partition `{known.facts.name}` gets no {count(asked, 'node')}",
        resolved,
        [At("launch.nodes", "asked for"), known.at("max_nodes", f"{count(known.facts.max_nodes, 'node')} at most")],
        (),
        (f"set `nodes = {known.facts.max_nodes}`", *_roomier(spec, "max_nodes", asked)),
    )


def gpus_fit(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG630: the partition's nodes have the GPUs."""
    known, asked = _of(spec), spec.launch.gpus_per_node
    if known is None or spec.hardware.device != "cuda":
        return
    have = known.facts.gpus_per_node
    if have is None or asked <= have:
        return
    theirs = count(have, "GPU") if have else "no GPU"
    yield error(
        "CFG630",
        f"{count(asked, 'rank')} on nodes of the partition `{known.facts.name}`, which have {theirs}",
        resolved,
        [At("launch.gpus_per_node", f"{asked} on each node"), known.at("gpus_per_node", f"{have} in a node")],
        (),
        (
            *((f"set `gpus_per_node = {have}` and `nodes = {-(-asked * spec.launch.nodes // have)}`",) if have else ()),
            *_roomier(spec, "gpus_per_node", asked),
        ),
    )


def memory_fits(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG631: the partition's nodes have the memory."""
    known, asked = _of(spec), spec.cluster.memory_per_node
    if known is None or not 0 < known.facts.memory_per_node < asked:
        return
    yield error(
        "CFG631",
        f"the job asks for more memory than the nodes of the partition `{known.facts.name}` have",
        resolved,
        [
            At("cluster.memory_per_node", f"{gib(asked)} asked for"),
            known.at("memory_per_node", f"{gib(known.facts.memory_per_node)} in a node"),
        ],
        (),
        ("set `memory_per_node = 0` for all of the node's memory", *_roomier(spec, "memory_per_node", asked)),
    )


def memory_is_shared(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG642: a job of some of a node's GPUs leaves memory to those of the others."""
    known, asked = _of(spec), spec.launch.gpus_per_node
    if known is None or spec.hardware.device != "cuda" or spec.cluster.memory_per_node or spec.cluster.exclusive:
        return
    have, memory = known.facts.gpus_per_node or 0, known.facts.memory_per_node
    if asked >= have:
        return
    share = memory * asked // have // GIB
    amount = f' = "{share}GiB"`, its share of {gib(memory)}' if share else "`, as much as it needs"
    yield warning(
        "CFG642",
        f"the job takes all memory of a node for {asked} of its {count(have, 'GPU')}",
        resolved,
        [
            At("cluster.memory_per_node", "0 is all of it"),
            At("launch.gpus_per_node", f"{asked} on each node"),
            known.at("gpus_per_node", f"{have} in a node"),
        ],
        ("nobody gets the other GPUs then, another point of the same sweep neither: each waits for a node of its own",),
        (f"set `memory_per_node{amount}", "or set `exclusive = true` where the whole node is meant"),
    )


def cpus_fit(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG632: the partition's nodes have the CPUs."""
    known, asked = _of(spec), cpus_per_task_of(spec) * tasks_per_node_of(spec)
    if known is None or not 0 < known.facts.cpus_per_node < asked:
        return
    have = known.facts.cpus_per_node
    yield error(
        "CFG632",
        f"the job asks for more CPUs than the nodes of the partition `{known.facts.name}` have",
        resolved,
        [
            At("cluster.cpus_per_task", f"{asked} on each node"),
            At("launch.threads_per_rank", f"{asked} CPUs on each node"),
            known.at("cpus_per_node", f"{count(have, 'CPU')} in a node"),
        ],
        ("absent, `cpus_per_task` follows from `launch.gpus_per_node` × `launch.threads_per_rank`",),
        (*_fewer_threads(spec, have), *_roomier(spec, "cpus_per_node", asked)),
    )


def _fewer_threads(spec: AnySpec, have: int) -> Iterator[str]:
    """Threads that the node has CPUs for, and the CPUs of a task where the spec names them."""
    threads = have // spec.launch.gpus_per_node
    if threads == 0:
        return
    fewer = threads < spec.launch.threads_per_rank
    parts = [f"`threads_per_rank = {threads}`"] if fewer else []
    if spec.cluster.cpus_per_task is not None:
        parts.append(f"`cpus_per_task = {have // tasks_per_node_of(spec)}`")
    yield f"set {' and '.join(parts)}"


def permissions_fit(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG633: the partition takes the account and the quality of service."""
    known = _of(spec)
    if known is None:
        return
    cluster, facts = spec.cluster, known.facts
    for key, plural, asked, allowed in (
        ("account", "accounts", cluster.account, facts.accounts),
        ("qos", "qos", cluster.qos, facts.qos),
    ):
        if not allowed or not asked or asked in allowed:
            continue
        yield error(
            "CFG633",
            f"the partition `{facts.name}` does not take the {key} `{asked}`",
            resolved,
            [At(f"cluster.{key}", "asked for"), known.at(plural, ", ".join(allowed))],
            (),
            (f'set `{key} = "{nearest(asked, allowed) or allowed[0]}"`',),
        )


def preempted_jobs_come_back(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG636: a job that others may put off the nodes is queued again."""
    known = _of(spec)
    if known is None or not known.facts.preemptible or requeues(spec) or spec.cluster.chain:
        return
    yield warning(
        "CFG636",
        f"a job that is preempted in the partition `{known.facts.name}` is not queued again",
        resolved,
        [At("cluster.requeue", "never queued again"), known.at("preemptible", "others may take its nodes")],
        (),
        ("set `cluster.requeue = true`",),
    )


def _roomier(spec: AnySpec, key: str, asked: int) -> Iterator[str]:
    """Another partition of the profile that has what is asked for."""
    for one in spec.cluster.partitions:
        has = getattr(one, key)
        if one.name != spec.cluster.partition and has is not None and has >= asked:
            yield f'or set `partition = "{one.name}"`'
            return
