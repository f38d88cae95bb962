"""A checked pipeline becomes the plans of its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc.lower.lowering import lower_spec
from cfgc.lower.warned import warned
from cfgc.stages.pipeline import PipelinePlan, StagePlan

if TYPE_CHECKING:
    from cfgc.stages.pipeline import CheckedPipeline


def lower_pipeline(checked: CheckedPipeline) -> PipelinePlan:
    """Every number of every stage. A pipeline that was checked always has a plan."""
    declared = checked.declared
    root = declared.root
    description = root.get("experiment.description")
    stages = tuple(StagePlan(stage.name, stage.needs, lower_spec(stage.checked)) for stage in checked.stages)
    inputs = (*root.graph.inputs, *(one for stage in stages for one in stage.plan.review.inputs))
    return PipelinePlan(
        name=declared.name,
        description=str(description.value) if description else "",
        run_dir=declared.run_dir,
        stages=stages,
        inputs=tuple(dict.fromkeys(inputs)),
        root=root.graph.root.logical,
        overrides=root.graph.overrides,
        warnings=warned(checked.warnings),
    )
