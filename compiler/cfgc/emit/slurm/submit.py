"""submit.sh: how a bundle comes into Slurm's queue."""

from __future__ import annotations

from dataclasses import replace

from cfgc.emit.scripts import common_values, needed_variables
from cfgc.emit.shell import Sh, path_expression, render_script, word
from cfgc.emit.slurm import array
from cfgc.lower.plan import AnyPlan, NodePath

NAME = "submit.sh"

_OF_SLURM = "SLURM_"
_HERE = NodePath("cwd", "", ".")


def submit_sh(plan: AnyPlan) -> str:
    """The text of submit.sh."""
    options = dict(array.directives(plan))
    exclude = options.get("exclude", "")
    return render_script(
        "slurm/submit.sh.j2",
        **{**common_values(plan), "needed": [word(name) for name in needed_to_submit(plan)]},
        has_log_dir=plan.slurm.log_dir != _HERE,
        log_dir=path_expression(plan.slurm.log_dir),
        log=word(options.get("output", "slurm-%j.out")),
        exclude=Sh(f"{word(exclude)}," if exclude else ""),
        at_once=Sh(f"%{plan.sweep.max_parallel}" if plan.sweep.max_parallel else ""),
        parts=array.parts(plan),
    )


def needed_to_submit(plan: AnyPlan) -> tuple[str, ...]:
    """Names of the variables that must be set where it is submitted, sorted: not those that only nodes have."""
    elsewhere = replace(plan, slurm=replace(plan.slurm, exports=()))
    return tuple(name for name in needed_variables(elsewhere) if not name.startswith(_OF_SLURM))
