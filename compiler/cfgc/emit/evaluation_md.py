"""PLAN.md of an evaluation by itself: whose weights, on which samples, and where the results are."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.emit.cluster_md import cluster_section
from cfgc.emit.cost_md import most_attempts, wall_time_limit
from cfgc.emit.markdown import code, shown_path, table, text
from cfgc.emit.own_code_md import own_code
from cfgc.emit.package import package_section
from cfgc.emit.plan_md import environment_table, inputs_table, paths_table
from cfgc.emit.plan_model import parameters, weights
from cfgc.emit.plan_table import title, way_back
from cfgc.emit.sweep_md import SLURM_START, local_start
from cfgc.emit.unusual_md import chosen, unusual
from cfgc.lower.plan import Plan


def evaluation_md(plan: Plan, plan_digest: str) -> str:
    """The text of PLAN.md."""
    parts: list[Sequence[str]] = [[f"# {title(plan)} · an evaluation"]]
    if plan.experiment.description:
        parts.append([text(plan.experiment.description)])
    parts += [_overview(plan), chosen(plan), unusual(plan), _starting(plan), own_code(plan), package_section(plan)]
    parts += [cluster_section(plan), paths_table(plan), environment_table(plan), inputs_table(plan, plan_digest)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _overview(plan: Plan) -> list[str]:
    said = plan.evaluation
    most = f"at most {said.max_batches:,} micro batches a rank"
    again = way_back(plan, "queued again by itself when it was asked to stop")
    rows = [
        ("weights", code(shown_path(plan.weights)), "as they were saved; no optimizer step is taken"),
        (
            "samples",
            most if said.max_batches else "all held out",
            f"{said.micro_batch_size:,} a rank in one pass; held out as a training by this spec does",
        ),
        parameters(plan),
        weights(plan),
        ("results", "`evaluation.json` in the run directory", "held-out loss and metrics; in metrics.jsonl too"),
        ("wall-time limit", wall_time_limit(plan), "each attempt, which begins anew"),
        ("attempts", most_attempts(plan), again),
    ]
    return table(("what", "value", "how"), rows)


def _starting(plan: Plan) -> list[str]:
    releases = f"Python with torch {plan.target.torch} and deepspeed {plan.target.deepspeed}"
    rows = (
        ("check", "`python -B runtime verify`", "every file is the one that was compiled"),
        (*local_start(plan), releases),
        ("start on Slurm", SLURM_START, f"Slurm {plan.target.slurm} or newer"),
        ("stop", "Ctrl-C, or signal USR2", "it ends with exit code 75; there is nothing to save"),
    )
    return ["## Start and stop", "", *table(("to", "do", "note"), rows)]
