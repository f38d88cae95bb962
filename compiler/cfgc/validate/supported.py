"""Settings that the schema knows and the runtime does not execute yet: an error each, never silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from cfgc.diagnostics import Diagnostic
from cfgc.schema.field import Section, meta_of
from cfgc.schema.values import NodePath
from cfgc.validate.missing import dotted
from cfgc.validate.places import Location, value_label
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.field import Feature, Later
    from cfgc.schema.spec import Spec

CODES: Mapping[Feature, tuple[str, str]] = {
    "moe": ("CFG450", "mixture of experts"),
    "fp8": ("CFG451", "8-bit floating point"),
    "parallel": ("CFG452", "tensor, pipeline, sequence and expert parallelism"),
    "data": ("CFG453", "data other than indexed text files read as bytes"),
    "model": ("CFG454", "models other than the plain decoder"),
    "optimizer": ("CFG455", "this optimizer or schedule"),
    "training loop": ("CFG456", "reactions to gradient norms and penalties in the loss"),
    "tracker": ("CFG457", "experiment trackers"),
    "sweep": ("CFG458", "sweeps"),
    "stages": ("CFG459", "pipelines of stages"),
    "package": ("CFG460", "packaging of user code"),
    "task": ("CFG461", "tasks other than the built-in training"),
    "nvme": ("CFG462", "offload to NVMe"),
    "checkpoint": ("CFG463", "asynchronous and best-of checkpoints"),
    "compile": ("CFG464", "compiling the model"),
    "executor": ("CFG465", "executors besides one machine and Slurm"),
}
"""Code and name of each family."""


def check_supported(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """A finding for each setting that the runtime cannot execute yet."""
    for location, value, default, later in _reserved(spec, ()):
        if not _works(value, default, later):
            yield _unsupported(resolved, location, value, later)


def _reserved(section: Section, above: Location) -> Iterator[tuple[Location, Any, Any, Later]]:
    for name, info in type(section).model_fields.items():
        value, location = getattr(section, name), (*above, name)
        later = meta_of(info).later
        if later:
            yield location, value, info.default, later
        elif isinstance(value, Section) and not isinstance(value, NodePath):
            yield from _reserved(value, location)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Section):
                    yield from _reserved(item, (*location, index))


def _works(value: object, default: object, later: Later) -> bool:
    if later.works:
        return value in later.works
    off = () if default is PydanticUndefined else (default,)
    return value in (*off, None, False)


def _unsupported(resolved: Resolved, location: Location, value: object, later: Later) -> Diagnostic:
    code, family = CODES[later.feature]
    key = dotted(location)
    shown = f"`{key} = {toml_text(value)}`" if isinstance(value, str | int | float) else f"`{key}`"
    return Diagnostic(
        code,
        f"{shown} is not supported by this runtime yet",
        value_label(resolved, location, ""),
        notes=(f"the runtime does not execute {family}; it would be ignored, so it is refused",),
        helps=(_sentence(later.instead),),
    )


def _sentence(instead: str) -> str:
    return instead if instead[:1].islower() else f"use {instead}"
