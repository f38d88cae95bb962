"""job.sbatch as a whole: its order is the template's, its parts bring their own values."""

from __future__ import annotations

from cfgc.emit.scripts import common_values
from cfgc.emit.shell import Sh, render_script, word
from cfgc.emit.slurm import array, ending, step, surroundings
from cfgc.lower.plan import AnyPlan


def job_sbatch(plan: AnyPlan, plan_digest: str) -> str:
    """The text of job.sbatch: a Slurm allocation."""
    return render_script(
        "slurm/job.sbatch.j2",
        **common_values(plan),
        **surroundings.values(plan),
        **step.values(plan),
        **ending.values(plan),
        plan_digest=plan_digest,
        directives=[Sh(f"{word(k)}={word(v)}" if v else word(k)) for k, v in array.directives(plan)],
    )
