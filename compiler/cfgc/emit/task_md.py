"""PLAN.md of a task of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import join

from cfgc.emit.cluster_md import cluster_section
from cfgc.emit.cost_md import most_attempts, wall_time_limit
from cfgc.emit.markdown import code, counted, duration, shown_path, table, text
from cfgc.emit.package import package_section
from cfgc.emit.plan_md import environment_table, inputs_table
from cfgc.emit.plan_table import way_back
from cfgc.emit.sweep_md import SLURM_START, local_start, sweep_section
from cfgc.emit.unusual_md import chosen, unusual
from cfgc.lower.plan import TaskPlan

_OF_TASKS = (
    ("stop", "Ctrl-C, or signal USR2", "every rank gets USR2, and ends as it sees fit"),
    ("start again", "the same command", "the task finds what it saved in CFGC_CHECKPOINT_DIR"),
)
_OF_EXPORTS = (
    ("stop", "Ctrl-C, or signal USR2", "it ends with exit code 75, and leaves no half of a model"),
    ("start again", "the same command", "it begins anew, unless the model is there"),
)


def task_md(plan: TaskPlan, plan_digest: str) -> str:
    """The text of PLAN.md."""
    topology = plan.topology
    hardware = text(topology.hardware) or topology.device
    machine = f"{counted(topology.nodes, 'node')} × {topology.ranks_per_node} × {hardware}"
    parts: list[Sequence[str]] = [[f"# {plan.experiment.name} · {machine} · a task"]]
    if plan.experiment.description:
        parts.append([text(plan.experiment.description)])
    parts += [
        _overview(plan),
        chosen(plan),
        unusual(plan),
        sweep_section(plan),
        _starting(plan),
        *([] if plan.task.kind == "export" else [_promises()]),
        package_section(plan),
        cluster_section(plan),
        _paths(plan),
    ]
    parts += [environment_table(plan), inputs_table(plan, plan_digest)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _overview(plan: TaskPlan) -> list[str]:
    task, launch = plan.task, plan.launch
    runs = ("every rank runs", code(task.target or task.script), _how(plan))
    if task.kind == "export":
        runs = ("exports", code(shown_path(task.checkpoint)), f"as {task.format}, {task.dtype or 'as it was trained'}")
    limit = f"each attempt; asked to save {duration(launch.signal_lead_s)} before it, on Slurm"
    starter = "srun on Slurm, by torchrun elsewhere" if launch.launcher == "srun" else "torchrun"
    again = way_back(plan, "queued again by itself after exit code 75")
    rows = [
        runs,
        ("ranks", f"{topology_of(plan)}", f"each started by {starter}, so that RANK and WORLD_SIZE are set"),
        ("wall-time limit", wall_time_limit(plan), limit),
        ("attempts", most_attempts(plan), again),
    ]
    return table(("what", "value", "how"), rows)


def topology_of(plan: TaskPlan) -> str:
    """``8 = 2 nodes × 4``."""
    return f"{plan.topology.world_size} = {counted(plan.topology.nodes, 'node')} × {plan.topology.ranks_per_node}"


def _how(plan: TaskPlan) -> str:
    task = plan.task
    if task.kind == "function":
        return "called as wiring.py says"
    words = code(join([*task.interpreter, task.script, *task.args]))
    return f"{words}; `python` is the run's own" if task.interpreter[:1] == ("python",) else words


def _starting(plan: TaskPlan) -> list[str]:
    releases = f"Python with torch {plan.target.torch}"
    releases += f" and deepspeed {plan.target.deepspeed}" if plan.target.deepspeed else ""
    rows = (
        ("check", "`python -B runtime verify`", "every file is the one that was compiled"),
        (*local_start(plan), releases),
        ("start on Slurm", SLURM_START, f"Slurm {plan.target.slurm} or newer"),
        *(_OF_EXPORTS if plan.task.kind == "export" else _OF_TASKS),
    )
    return ["## Start and stop", "", *table(("to", "do", "note"), rows)]


def _promises() -> list[str]:
    rows = (
        ("CFGC_CHECKPOINT_DIR", "where it saves and looks for what it saved, the same in every attempt"),
        ("CFGC_RUN_DIR", "the run directory; logs of each rank are in attempts/ there"),
        ("CFGC_ATTEMPT", "number of this start: 001, 002, …"),
        ("CFGC_SEED", "`experiment.seed`"),
        ("CFGC_DETERMINISTIC", "1 when `experiment.deterministic` asks for the same result every time, else 0"),
    )
    codes = (
        "Signal USR2 means: save and leave; a task that does not handle it is ended by it. Exit code 0 finishes the "
        "run, 75 says that it saved and wants to be started again, and any other is kept as it is."
    )
    table_ = table(("variable of every rank", "value"), [(code(name), value) for name, value in rows])
    return ["## What the task is given", "", *table_, "", codes]


def _paths(plan: TaskPlan) -> list[str]:
    task, run_dir = plan.task, shown_path(plan.launch.run_dir)
    if task.kind == "export":
        own = [
            ("model", code(f"{run_dir}/model"), "written: whole or not at all"),
            ("checkpoint", code(shown_path(task.checkpoint)), "read: that one, or the newest of that run"),
        ]
    else:
        own = [("start directory", code(shown_path(task.working_directory)), "of every rank")]
    rows = [
        ("run directory", code(run_dir), "written: checkpoints, logs"),
        *own,
        *((code(name), code(shown_path(path)), "the value of that variable") for name, path in task.paths),
        ("interpreter", code(plan.launch.python), "run: or what the variable `PYTHON` names"),
    ]
    return ["## Paths on the node", "", *table(("what", "where", "use"), rows)]
