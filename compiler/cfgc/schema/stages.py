"""``[[stages]]``: tasks of a pipeline."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.experiment import Experiment
from cfgc.schema.field import Section, logistics, part
from cfgc.schema.launch import Launch
from cfgc.schema.values import Name, Text, Texts, array_to_tuple


class Stage(Section):
    """One task of a pipeline."""

    name: Name = logistics(..., "Name of the stage, and of its directory.", why="It is a name.")
    needs: Texts = logistics(
        (),
        "Stages that must have finished before this one starts.",
        why="It decides when the stage starts; what it takes from others has keys of its own.",
    )
    spec: Text | None = logistics(
        None,
        "Spec that it runs, relative to this file. Absent: this spec itself.",
        why="It is where values come from, which are compared themselves.",
        min_length=1,
    )
    set: dict[str, Any] = logistics(
        {},
        "Keys that it sets over that spec, such as `launch.nodes`.",
        why="It is where values come from, which are compared themselves.",
    )


Stages: TypeAlias = Annotated[tuple[Stage, ...], BeforeValidator(array_to_tuple)]


class PipelineSpec(Section):
    """What a pipeline says of itself; the rest of its spec belongs to stages without a spec of their own."""

    experiment: Experiment = part(..., "What the pipeline is called.")
    launch: Launch = part(Launch(), "Where it keeps its state.")
    stages: Stages = logistics(..., "Its tasks.", why="Each stage is compared by itself.")
