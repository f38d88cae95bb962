"""``${stages.pretrain.checkpoint}``: what a stage takes from those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cfgc.diagnostics import Diagnostic
from cfgc.origin import Layer, Origin, Path, Value
from cfgc.patch import Tree
from cfgc.resolve.expression import RefPath
from cfgc.resolve.interpolate import templates_of
from cfgc.schema.values import OUTPUTS, STAGE
from cfgc.source import Span
from cfgc.stages import errors
from cfgc.stages.asked import STAGES
from cfgc.stages.pipeline import Declared, Said
from cfgc.validate.places import Location

GIVEN: Mapping[str, tuple[str, ...]] = {
    "train": ("run_dir", "checkpoint"),
    "evaluate": ("run_dir", "results"),
    "export": ("run_dir", "model"),
    "script": ("run_dir",),
    "function": ("run_dir",),
}
"""What a stage of each kind writes for others."""


@dataclass(frozen=True)
class Use:
    """A reference to another stage: in which value, to what, and how to find where it is written."""

    location: Location
    reference: RefPath
    find: Callable[[], Span | None]


def uses_in(tree: Tree) -> Iterator[Use]:
    """Every reference to a stage in the merged ``tree``."""
    for path, origin in tree.items():
        for at, template in templates_of(path, origin).by_position.items():
            for reference, find in template.references():
                if reference.path[:1] == STAGES:
                    yield Use((*path, *at), reference.path, find)


def values_of(uses: list[Use]) -> dict[Path, Origin]:
    """A value for each reference, so that expressions come to something: the path as a spec may write it."""
    layer = Layer("stage")
    return {path: Origin(layer, _value(path)) for use in uses if (path := _key(use.reference))}


def _key(reference: RefPath) -> Path:
    """``reference`` as a key; empty where it leads into an array."""
    names = tuple(part for part in reference if isinstance(part, str))
    return names if len(names) == len(reference) and len(names) > 1 else ()


def _value(path: Path) -> Value:
    return STAGE + ":".join(path[1:])


def judge_uses(declared: Declared, said: Said, uses: list[Use], kinds: Mapping[str, str]) -> Iterator[Diagnostic]:
    """CFG661, CFG662, CFG664: each use is of something that is there when the stage starts.

    ``kinds`` are those of the stages, as far as they are known.
    """
    upstream = declared.upstream(said.name)
    names = {one.name for one in declared.stages}
    for use in uses:
        stage = use.reference[1] if len(use.reference) > 1 else 0
        if not isinstance(stage, str):
            continue  # the array of stages itself has no value in a stage, which is said as of any key
        if stage not in names:
            yield errors.unknown_stage(declared, use.reference, use.find())
            continue
        if stage not in upstream:
            yield errors.not_needed(declared, said, use.reference, use.find())
        kind = kinds.get(stage, "")
        if kind in GIVEN and (len(use.reference) != 3 or use.reference[2] not in GIVEN[kind]):
            yield errors.unknown_output(use.reference, GIVEN[kind], kind, use.find())


def is_sound(use: Use) -> bool:
    """Whether what is referred to is an output of some kind of stage."""
    return len(use.reference) == 3 and use.reference[2] in OUTPUTS
