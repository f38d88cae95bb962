"""What a stage says over the spec that it runs, as layers of that spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cfgc.diagnostics import Diagnostic
from cfgc.load.directive_errors import not_a_key
from cfgc.load.directives import RESERVED, is_one_value
from cfgc.load.graph import LayerPatch
from cfgc.load.keys import parse_key
from cfgc.load.switches import key_of
from cfgc.lower.plan import NodePath
from cfgc.origin import Layer, Origin, Path, dotted
from cfgc.patch import Patch
from cfgc.source import Span
from cfgc.stages import errors
from cfgc.stages.asked import STAGES
from cfgc.stages.pipeline import Declared, Said
from cfgc.validate.places import key_label

NAME: Path = ("experiment", "name")
RUN_DIR: Path = ("launch", "run_dir")
FOLDER = "stages"
"""Where the stages are, in the pipeline's bundle and in its run directory."""

DECIDED = {
    "experiment.name": "a stage is called after its pipeline and itself",
    "launch.run_dir": "a stage's run directory is `stages/<name>` in that of its pipeline, where others find it",
    "stages": "a stage is one run",
    "sweep": "a stage is one run; what needs it could not say which point is meant",
    **dict.fromkeys(RESERVED, "a stage sets values only; give it a spec of its own: `spec = …`"),
}


@dataclass
class StageLayers:
    """``said`` lies below the command line, ``identity`` above it; ``problems`` are keys that no stage sets."""

    said: LayerPatch
    identity: LayerPatch
    problems: list[Diagnostic] = field(default_factory=list)


def layers_of(declared: Declared, said: Said) -> StageLayers:
    """The layers of one stage."""
    layer = Layer("stage", declared.root.graph.root.logical, said.name)
    found = StageLayers(LayerPatch(layer, Patch()), LayerPatch(layer, _identity(declared, said, layer)))
    sets: dict[Path, Origin] = {}
    for path, inside, value in _flat(declared, said, found.problems):
        reserved = next((key for key in DECIDED if path[: key.count(".") + 1] == tuple(key.split("."))), None)
        location = (*STAGES, *inside)
        if key_of(path, value) in sets:
            why = "it is set twice: once by its dotted name, and once in a table"
            found.problems.append(errors.decided_by_the_pipeline(declared.root, location, dotted(path), why))
        elif reserved:
            found.problems.append(errors.decided_by_the_pipeline(declared.root, location, reserved, DECIDED[reserved]))
        else:
            sets[key_of(path, value)] = _origin(declared.array, layer, inside, value)
    found.said = LayerPatch(layer, Patch(sets=MappingProxyType(sets)))
    return found


def placed(layers: Sequence[LayerPatch], own: StageLayers) -> tuple[LayerPatch, ...]:
    """``layers`` of the spec that the stage runs, without its stages, and with what the stage says."""
    single = [LayerPatch(layer.layer, _single(layer.patch)) for layer in layers]
    typed = next((at for at, one in enumerate(single) if one.layer.kind == "command line"), len(single))
    return (*single[:typed], own.said, *single[typed:], own.identity)


def _single(patch: Patch) -> Patch:
    """``patch`` of one run."""

    def kept(tree: Any) -> Any:
        return MappingProxyType({path: held for path, held in tree.items() if path[:1] != STAGES})

    return Patch(kept(patch.sets), kept(patch.tables), kept(patch.unsets), kept(patch.appends))


def _identity(declared: Declared, said: Said, layer: Layer) -> Patch:
    """The name and the run directory; both follow from the stage's name, where they are said to be written."""
    inside = (said.position, "name")
    span = declared.array.inner.get(inside) or declared.array.span
    values: dict[Path, Any] = {
        NAME: f"{declared.name}-{said.name}",
        RUN_DIR: _written(declared.run_dir, f"{FOLDER}/{said.name}"),
    }
    return Patch(sets={path: Origin(layer, value, span, span) for path, value in values.items()})


def _written(path: NodePath, below: str) -> str | dict[str, Any]:
    """A path below ``path``, as a spec writes it."""
    inner = below if path.path == "." else f"{path.path.rstrip('/')}/{below}"
    return {"env": path.name, "path": inner} if path.base == "env" else inner


def _flat(declared: Declared, said: Said, problems: list[Diagnostic]) -> Iterator[tuple[Path, tuple[Any, ...], Any]]:
    """Keys of ``set``, their places in the array, and their values; quoted keys may be dotted."""
    waiting: list[tuple[Path, tuple[Any, ...], Any]] = [((), (said.position, "set"), said.set)]
    while waiting:
        path, inside, value = waiting.pop(0)
        if path and (not isinstance(value, dict) or is_one_value(value)):
            yield path, inside, value
            continue
        for key, held in value.items():
            parts = parse_key(key)
            if parts is None:
                label = key_label(declared.root, (*STAGES, *inside, key), "")
                assert label is not None, "stages are written in a file or on the command line"
                problems.append(not_a_key(key, label.span))
            else:
                waiting.append(((*path, *parts), (*inside, key), held))


def _origin(array: Origin, layer: Layer, inside: tuple[Any, ...], value: Any) -> Origin:
    depth = len(inside)

    def below(places: Any) -> Any:
        found: dict[tuple[str | int, ...], Span] = {
            place[depth:]: span for place, span in places.items() if place[:depth] == inside and len(place) > depth
        }
        return MappingProxyType(found)

    span = array.inner.get(inside) or array.span
    return Origin(
        layer=layer,
        value=value,
        span=span,
        key_span=array.inner_keys.get(inside) or span,
        inner=below(array.inner),
        inner_keys=below(array.inner_keys),
    )
