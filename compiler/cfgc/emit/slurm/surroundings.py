"""What the site needs before anything of the run starts: surroundings.sh.j2 and container.sh.j2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from cfgc.emit.shell import Sh, path_expression, quoted, word
from cfgc.launching.slurm import OVERLAP
from cfgc.lower.plan import AnyPlan, Container, Mount, NodePath

_ALL = '"${container[@]}"'


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the parts are given.

    ``here`` stands before a command of the batch script that needs the interpreter, ``inside`` before one of a step;
    ``srun_options`` are words for srun. All three are empty without a container.
    """
    container = plan.slurm.container
    pyxis, apptainer = container.kind == "pyxis", container.kind == "apptainer"
    words = _pyxis(container) if pyxis else _apptainer(container, plan.topology.device == "cuda")
    return {
        "modules": plan.slurm.modules,
        "exports": [(word(name), path_expression(path)) for name, path in plan.slurm.exports],
        "container_kind": Sh(container.kind),
        "container_words": Sh(" ".join(words)),
        "container_image": container.image,
        "scratch": next((word(name) for name, path in plan.slurm.exports if not _is_mounted(path, container)), Sh("")),
        "on_every_node": Sh(f"{_srun(plan, plan.topology.nodes)} " if plan.topology.nodes > 1 else ""),
        "mounts": [_mount(one) for one in container.mounts],
        "here": Sh(f"{_srun(plan, 1)} {_ALL} " if pyxis else f"{_ALL} " if apptainer else ""),
        "srun_options": Sh(f" {_ALL}" if pyxis else ""),
        "inside": Sh(f" {_ALL}" if apptainer else ""),
    }


def _srun(plan: AnyPlan, nodes: int) -> str:
    """A step of one task a node beside what may still run; steps of older releases share the allocation anyway."""
    overlap = "" if OVERLAP.is_newer_than(plan.target.slurm) else f" {OVERLAP.name}"
    return f"srun{overlap} --nodes={nodes} --ntasks={nodes} --ntasks-per-node=1"


def _pyxis(container: Container) -> Iterator[Sh]:
    yield Sh(f"--container-image={quoted(container.image)}")
    yield Sh('--container-workdir="$PWD"')
    yield Sh("--container-mount-home" if container.mount_home else "--no-container-mount-home")


def _apptainer(container: Container, on_gpus: bool) -> Iterator[Sh]:
    yield Sh("apptainer exec")
    if on_gpus:
        yield Sh("--nv")
    yield Sh('--pwd "$PWD"')
    if not container.mount_home:
        yield Sh("--no-home")


def _is_mounted(path: NodePath, container: Container) -> bool:
    """Whether a mount that the profile names holds ``path`` already, as far as that can be read here."""
    places = (NodePath("absolute", "", one.target) if one.target else one.source for one in container.mounts)
    return any(
        (place.base, place.name) == (path.base, path.name) and PurePosixPath(path.path).is_relative_to(place.path)
        for place in places
    )


def _mount(mount: Mount) -> Sh:
    """``source:target[:ro]`` as one shell word; pyxis and apptainer write it the same way."""
    source = path_expression(mount.source)
    return Sh(f"{source}:{quoted(mount.target) if mount.target else source}{':ro' if mount.read_only else ''}")
