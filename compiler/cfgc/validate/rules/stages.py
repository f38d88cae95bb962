"""An export's rank, and paths of other stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, count, error
from cfgc.validate.stage_paths import lies_among_stages, paths_of_stages

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec


def export_is_one_rank(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG669: an export is the work of one process."""
    launch = spec.launch
    if spec.task.kind != "export" or launch.nodes * launch.gpus_per_node == 1:
        return
    remedy = Remedy(resolved)
    yield error(
        "CFG669",
        f"an export is the work of one rank, and {launch.nodes * launch.gpus_per_node} are asked for",
        resolved,
        [
            At("launch.gpus_per_node", f"{launch.gpus_per_node} on a node"),
            At("launch.nodes", count(launch.nodes, "node")),
        ],
        ("the others would wait on devices that they do not use",),
        ("set `launch.nodes = 1` and `launch.gpus_per_node = 1` for it",),
        one_fix([*remedy.set(("launch", "nodes"), 1), *remedy.set(("launch", "gpus_per_node"), 1)]),
    )


def stage_paths_are_in_a_pipeline(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG665: only a run that lies beside others knows where they are."""
    if lies_among_stages(spec):
        return
    for location in paths_of_stages(spec):
        plain = tuple(part for part in location if isinstance(part, str))
        yield error(
            "CFG665",
            f"`{'.'.join(plain)}` is a path of another stage, and this spec is no stage",
            resolved,
            [At(".".join(plain), "there is no stage")],
            ("a stage's run directory lies beside those of the others, in that of its pipeline",),
            ("write `${stages.NAME.OUTPUT}` in a spec with `[[stages]]`",),
            one_fix(Remedy(resolved).drop(location)),
        )
