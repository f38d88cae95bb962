"""PLAN.md on the cluster: what Slurm is asked for, and what ranks find there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.emit.markdown import code, shown_path, table, text
from cfgc.emit.package import digest_of_image

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan, Mount

_ASKED = ("partition", "account", "qos", "reservation", "constraint", "exclude", "gres", "mem", "exclusive")
_BINDINGS = {"cores": "an equal share of the cores, of its own", "numa": "those near its memory, or its GPU"}
_LIMITS = {"nofile": "open files", "memlock": "locked memory", "stack": "stack", "core": "core files"}


def cluster_section(plan: AnyPlan) -> list[str]:
    """A table of what the profile and the spec say of the cluster; nothing when they say nothing."""
    rows = list(_rows(plan))
    name = f" · {text(plan.slurm.cluster)}" if plan.slurm.cluster else ""
    return [f"## On the cluster{name}", "", *table(("what", "value"), rows)] if rows or name else []


def _rows(plan: AnyPlan) -> Iterator[tuple[str, str]]:
    slurm = plan.slurm
    asked = [f"--{name}={value}" if value else f"--{name}" for name, value in slurm.directives if name in _ASKED]
    if asked != ["--mem=0"]:
        yield "asked of Slurm", ", ".join(map(code, asked))
    if slurm.modules:
        yield "modules", ", ".join(map(code, slurm.modules))
    if slurm.container.kind != "none":
        home = ", and the home directory" if slurm.container.mount_home else ""
        yield "container", f"{slurm.container.kind} with {code(slurm.container.image)}{home}"
        if not digest_of_image(slurm.container):
            yield "image", "by its name, which may mean another one later; `name@sha256:…` means one only"
        yield from (("mounted", _mounted(mount)) for mount in slurm.container.mounts)
    yield from (("temporary files", f"{code(shown_path(path))}, as `TMPDIR`") for _, path in slurm.exports)
    if plan.launch.cpu_binding != "none":
        yield "CPUs of a rank", _BINDINGS[plan.launch.cpu_binding]
    if plan.launch.ops:
        place = code(shown_path(plan.launch.ops_cache))
        yield "built once on each node", f"{', '.join(map(code, plan.launch.ops))}, kept in {place}"
    if plan.launch.limits:
        yield "limits", ", ".join(f"{_LIMITS[name]} {_amount(value)}" for name, value in plan.launch.limits)
    if shown_path(slurm.log_dir) != ".":
        yield "log of the job", f"{code(shown_path(slurm.log_dir))}, through `submit.sh`"


def _mounted(mount: Mount) -> str:
    place = f" as {code(mount.target)}" if mount.target else ""
    return f"{code(shown_path(mount.source))}{place}{', read-only' if mount.read_only else ''}"


def _amount(value: int) -> str:
    return "unlimited" if value < 0 else f"{value:,}" if value else "none"
