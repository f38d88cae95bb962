"""Containers, variables and networks of a cluster profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.trackers import is_on
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec, Spec

KIND, IMAGE, MOUNTS = "cluster.container.kind", "cluster.container.image", "cluster.container.mounts"
INTERFACE, OFFLINE = "cluster.network_interface", "cluster.offline"

KEY_OF = {
    "NCCL_SOCKET_IFNAME": INTERFACE,
    "GLOO_SOCKET_IFNAME": INTERFACE,
    "HF_HUB_OFFLINE": OFFLINE,
    "HF_DATASETS_OFFLINE": OFFLINE,
    "TRANSFORMERS_OFFLINE": OFFLINE,
}
"""Variables that follow from a key of the profile, when that is set."""


def container_is_whole(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG634: a container has a runner and an image."""
    container = spec.cluster.container
    if container.kind != "none" and not container.image:
        suffix = "sif" if container.kind == "apptainer" else "sqsh"
        yield error(
            "CFG634",
            f"{container.kind} has no image to run",
            resolved,
            [At(IMAGE, "names none"), At(KIND, "runs an image")],
            (),
            (f'set `container.image = "/shared/images/train.{suffix}"`, the file on your cluster',),
        )
    if container.kind == "none" and (container.image or container.mounts or container.mount_home):
        unused = next(key for key in ("image", "mounts", "mount_home") if getattr(container, key))
        yield error(
            "CFG634",
            "nobody runs the container",
            resolved,
            [At(f"cluster.container.{unused}", "of no effect"), At(KIND, "none")],
            (),
            ('set `container.kind = "pyxis"` or `"apptainer"`', "or drop the table `cluster.container`"),
        )


def mounts_can_be_named(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG637: pyxis and apptainer write mounts as ``source:target``, with commas between them."""
    for place, mount in enumerate(spec.cluster.container.mounts):
        if mount.target and not mount.target.startswith("/"):
            yield error(
                "CFG637",
                "the container has no start directory that a mount could be below",
                resolved,
                [At(MOUNTS, "not absolute", (place, "target"))],
                (),
                (f'set `target = "/{mount.target}"`',),
                one_fix(Remedy(resolved).set(_mount(place, "target"), f"/{mount.target}")),
            )
        for key, text in (("source", mount.source.path), ("target", mount.target)):
            if not set(text) & {",", ":"}:
                continue
            yield error(
                "CFG637",
                "a directory whose name has a comma or a colon cannot be mounted",
                resolved,
                [At(MOUNTS, "ends there", (place, key))],
                ("a mount is written `source:target`, and the next one follows a comma",),
                ("mount the directory above it, or rename it",),
                one_fix(Remedy(resolved).set(_mount(place, key), text[: min(map(text.find, set(text) & {",", ":"}))])),
            )


def _mount(place: int, key: str) -> tuple[str | int, ...]:
    return ("cluster", "container", "mounts", place, key)


def variables_follow_from_one_key(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG635: what a key of the profile sets is not set a second time."""
    cluster = spec.cluster
    active = {INTERFACE: bool(cluster.network_interface), OFFLINE: cluster.offline}
    for table, names in (("cluster.environment", cluster.environment), ("env.variables", spec.env.variables)):
        for name in names:
            key = KEY_OF.get(name)
            if key is None or not active[key]:
                continue
            yield error(
                "CFG635",
                f"`{name}` is set by `{key}`",
                resolved,
                [At(f"{table}.{name}", "set again"), At(key, "sets it")],
                (),
                (f"drop one of the two: `{key}` sets it for every library that reads it",),
            )


def trackers_need_a_network(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG639: a run without a network reports to files."""
    wandb = spec.tracking.wandb
    if not spec.cluster.offline or not is_on(wandb) or wandb.mode == "offline":
        return
    written = [name for name in type(wandb).model_fields if getattr(wandb, name) is not None]
    as_switch = written == ["enabled"]  # `wandb = true`, beside which there can be no table
    offline = 'write `wandb = { mode = "offline" }`' if as_switch else 'set `tracking.wandb.mode = "offline"`'
    yield warning(
        "CFG639",
        "Weights & Biases cannot be reached from nodes without a network",
        resolved,
        [At(f"tracking.wandb.{written[0]}", "reports online"), At(OFFLINE, "no network")],
        (),
        (f"{offline}, and send the files later with `wandb sync`",),
    )
