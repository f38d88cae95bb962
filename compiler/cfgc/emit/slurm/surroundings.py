"""What the site needs before anything of the run starts: surroundings.sh.j2."""

from __future__ import annotations

from collections.abc import Mapping

from cfgc.lower.plan import AnyPlan


def values(plan: AnyPlan) -> Mapping[str, object]:
    """What the part is given."""
    return {"modules": plan.slurm.modules}
