"""``[[stages]]``: tasks of a pipeline."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from cfgc.schema.field import Section, logistics
from cfgc.schema.values import Name, Text, Texts, array_to_tuple


class Stage(Section):
    """One task of a pipeline."""

    name: Name = logistics(..., "Name of the stage.")
    spec: Text | None = logistics(None, "Spec that it runs.")
    task: Text | None = logistics(None, "Task that it runs.")
    needs: Texts = logistics((), "Stages that come before.")
    inputs: dict[str, Any] = logistics({}, "Outputs of other stages that it reads.")


Stages: TypeAlias = Annotated[tuple[Stage, ...], BeforeValidator(array_to_tuple)]
