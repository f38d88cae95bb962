"""PLAN.md: what will run, for a reviewer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from cfgc.emit.cluster_md import cluster_section
from cfgc.emit.markdown import code, count, counted, duration, shown_path, table, text
from cfgc.emit.own_code_md import own_code
from cfgc.emit.package import package_section
from cfgc.emit.plan_data import use_of
from cfgc.emit.plan_table import overview, title, way_back
from cfgc.emit.rates import learning_rate
from cfgc.emit.reports_md import report_rows
from cfgc.emit.scripts import needed_variables
from cfgc.emit.sweep_md import SLURM_START, local_start, sweep_section
from cfgc.emit.unusual_md import chosen, unusual
from cfgc.lower.plan import AnyPlan, Plan, Schedule

_SHOWN_NODES = 4
_SHOWN_DROPS = 8
_SHARES = (
    "ZeRO is off: every rank holds the whole model, its gradients and the optimizer state.",
    "ZeRO-1: every rank holds the whole model and gradients, and 1/{} of the optimizer state.",
    "ZeRO-2: every rank holds the whole model, and 1/{} of the gradients and of the optimizer state.",
    "ZeRO-3: every rank holds 1/{} of the parameters, the gradients and the optimizer state.",
)


def plan_md(plan: Plan, plan_digest: str) -> str:
    """The text of PLAN.md."""
    experiment = plan.experiment
    parts: list[Sequence[str]] = [[f"# {title(plan)}"]]
    if experiment.description:
        parts.append([text(experiment.description)])
    parts += [
        overview(plan),
        chosen(plan),
        unusual(plan),
        sweep_section(plan),
        _starting(plan),
        _topology(plan),
        _rates(plan),
        own_code(plan),
        package_section(plan),
    ]
    parts += [cluster_section(plan), paths_table(plan)]
    parts += [environment_table(plan), inputs_table(plan, plan_digest)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _starting(plan: Plan) -> list[str]:
    releases = f"Python with torch {plan.target.torch} and deepspeed {plan.target.deepspeed}"
    slurm = f"{'srun starts each rank; ' if plan.launch.launcher == 'srun' else ''}Slurm {plan.target.slurm}"
    again = f"saves; {way_back(plan, 'queued again by itself')}"
    rows = (
        ("check", "`python -B runtime verify`", "every file is the one that was compiled"),
        (*local_start(plan), releases),
        ("start on Slurm", SLURM_START, f"{slurm} or newer; try it first: `./submit.sh --test-only`"),
        ("stop", "Ctrl-C, or signal USR2", "it saves, then ends with exit code 75"),
        ("save now on Slurm", "`scancel --batch --signal=USR2 JOBID`", f"{again}; a plain `scancel` ends it for good"),
        ("resume", "start it again", "it goes on from the newest complete checkpoint"),
    )
    return ["## Start, stop, resume", "", *table(("to", "do", "note"), rows)]


def _topology(plan: Plan) -> list[str]:
    topology = plan.topology
    groups = (
        f"{counted(topology.world_size, 'rank')} = data-parallel {topology.data_parallel} × "
        f"tensor {topology.tensor_parallel} × pipeline {topology.pipeline_parallel} × "
        f"sequence {topology.sequence_parallel}"
    )
    network = f"{topology.backend}, a collective waits at most {duration(topology.timeout_s)}"
    shares = _SHARES[plan.zero_stage].format(topology.data_parallel)
    return ["## Ranks", "", "```", *_drawing(plan), "```", "", f"{groups} · {network}.", shares]


def _drawing(plan: Plan) -> Iterator[str]:
    nodes, per_node = plan.topology.nodes, plan.topology.ranks_per_node
    width = len(str(nodes * per_node - 1))
    for node in range(nodes):
        if nodes > _SHOWN_NODES and _SHOWN_NODES - 2 < node < nodes - 1:
            if node == _SHOWN_NODES - 1:
                yield "  ⋮"
            continue
        first = node * per_node
        ranks = " ".join(f"[{rank:>{width}}]" for rank in range(first, first + per_node))
        yield f"node {node:<{len(str(nodes - 1))}}  {ranks}"


def _rates(plan: Plan) -> list[str]:
    schedule, last = plan.schedule, plan.schedule.max_steps
    each, unit = plan.batch.tokens_per_step or plan.batch.global_batch_size, "samples" if plan.data.target else "tokens"
    marks = {1: "first", last // 4: "", last // 2: "", 3 * last // 4: "", **_turns(schedule), last: "last"}
    rows = [
        (f"{step:,}", f"{learning_rate(plan.schedule, step):.3g}", count(step * each), note)
        for step, note in sorted(marks.items())
        if step >= 1
    ]
    return ["## Learning rate", "", *table(("step", "rate", f"{unit} by then", ""), rows)]


def _turns(schedule: Schedule) -> dict[int, str]:
    """Steps at which the rate begins to do something else."""
    turns = {schedule.warmup_steps: "peak"}
    if schedule.scheduler == "wsd":
        turns[schedule.max_steps - schedule.decay_steps] = "peak, decays from here"
    regular = range(schedule.step_size, schedule.max_steps, schedule.step_size) if schedule.step_size else ()
    for step in islice(chain(schedule.milestones, regular), _SHOWN_DROPS):
        turns[step] = f"× {schedule.gamma:g}"
    return turns


def paths_table(plan: Plan) -> list[str]:
    """What is read and written on the node, and where."""
    written = "checkpoints, metrics, logs" if plan.work == "train" else "results, metrics, logs"
    rows = [("run directory", code(shown_path(plan.launch.run_dir)), f"written: {written}")]
    if plan.weights.path:
        rows.append(("weights", code(shown_path(plan.weights)), "read: that checkpoint, or the newest of that run"))
    if plan.model.kind == "huggingface" and not plan.model.config:
        weights = " and weights" if plan.model.from_weights else ""
        rows.append(("model", code(shown_path(plan.model.path)), f"read: config.json{weights}"))
    for source in plan.data.sources:
        wanted = " ".join(map(code, source.include))
        without = " without " + " ".join(map(code, source.exclude)) if source.exclude else ""
        use = f"read as {source.kind}: {wanted}{without}{use_of(source)}"
        rows.append((f"data {text(source.name)}", code(shown_path(source.path)), use))
    if plan.data.tokenizer.kind != "bytes":
        use = f"read with the package {plan.data.tokenizer.kind}"
        rows.append(("tokenizer", code(shown_path(plan.data.tokenizer.path)), use))
    rows += report_rows(plan.tracking)
    rows.append(("interpreter", code(plan.launch.python), "run: or what the variable `PYTHON` names"))
    return ["## Paths on the node", "", *table(("what", "where", "use"), rows)]


def environment_table(plan: AnyPlan) -> list[str]:
    """Variables, and who sets them."""
    rows = [(code(name), "must be set where the run starts", "") for name in needed_variables(plan)]
    rows += [(code(name), "set by the scripts", code(value)) for name, value in sorted(plan.launch.environment.items())]
    return ["## Environment", "", *table(("variable", "who sets it", "value"), rows)] if rows else []


def inputs_table(plan: AnyPlan, plan_digest: str) -> list[str]:
    """What the bundle was made from."""
    rows = [(code(item.logical), code(item.sha256[:12])) for item in plan.review.inputs]
    plan_line = (
        f"Compiled from {code(plan.review.root)}. Plan digest {code(plan_digest[:19])}, in full in manifest.json."
    )
    return ["## Inputs", "", plan_line, "", *table(("file", "sha256"), rows)]
