"""The table at the top of PLAN.md: what, value, how."""

from __future__ import annotations

from cfgc.arithmetic.update_rules import UNUSED
from cfgc.emit.cost_md import bytes_kept, most_attempts, saves, wall_time_limit
from cfgc.emit.markdown import code, count, counted, duration, number, table, text
from cfgc.emit.own_code_md import target_of
from cfgc.emit.plan_data import held_out, making
from cfgc.emit.plan_model import parameters, size, states
from cfgc.emit.work_md import compute
from cfgc.lower.plan import AnyPlan, Plan, Schedule


def title(plan: Plan) -> str:
    """``gpt-small · 2 nodes × 4 × A100-80GB · ZeRO-2 · bf16``."""
    topology = plan.topology
    machine = f"{counted(topology.nodes, 'node')} × {topology.ranks_per_node}"
    hardware = text(topology.hardware) or ("GPU" if topology.device == "cuda" else "CPU")
    return f"{plan.experiment.name} · {machine} × {hardware} · ZeRO-{plan.zero_stage} · {plan.precision}"


def overview(plan: Plan) -> list[str]:
    """The table's lines."""
    rows = [_samples, _tokens, parameters, states, _rate, _clipping, _evaluation, _checkpoints]
    rows += (
        [_penalties]
        if any((plan.penalties.repetition, plan.penalties.immediate_repetition, plan.penalties.eos))
        else []
    )
    first, *others = [row(plan) for row in rows]
    last = [row(plan) for row in (_limit, _restarts, _watchdog)]
    return table(("what", "value", "how"), [first, *making(plan.data), *others, *compute(plan), *last])


def _samples(plan: Plan) -> tuple[str, str, str]:
    batch = plan.batch
    how = (
        f"micro {batch.micro_batch_size:,} × accumulation {batch.gradient_accumulation_steps:,} "
        f"× data-parallel {plan.topology.data_parallel:,}"
    )
    return "samples per step", f"{batch.global_batch_size:,}", how


def _tokens(plan: Plan) -> tuple[str, str, str]:
    if not plan.batch.tokens_per_step:
        samples = plan.schedule.max_steps * plan.batch.global_batch_size
        return "samples in all", count(samples), f"× {counted(plan.schedule.max_steps, 'step')}{_passes(plan)}"
    how = f"× sequence {plan.data.sequence_length:,} / × {counted(plan.schedule.max_steps, 'step')}{_passes(plan)}"
    return "tokens per step / in all", f"{plan.batch.tokens_per_step:,} / {count(plan.schedule.total_tokens)}", how


def _passes(plan: Plan) -> str:
    """How often the training samples are read, where the spec says how many there are."""
    samples, batch = plan.data.max_train_samples, plan.batch.global_batch_size
    if not samples:
        return ""
    passes = plan.schedule.max_steps / (samples // batch)
    return f", {number(passes)} {'pass' if passes == 1 else 'passes'} over {counted(samples, 'sample')}"


def _rate(plan: Plan) -> tuple[str, str, str]:
    schedule = plan.schedule
    peak, final = number(schedule.learning_rate), number(schedule.final_learning_rate)
    rise = f"0 → {peak} in {counted(schedule.warmup_steps, 'step')}" if schedule.warmup_steps else peak
    falls = {
        "constant": "constant",
        "polynomial": f"to {final} by the power of {number(schedule.power)}",
        "wsd": f"then {schedule.decay} to {final} in the last {counted(schedule.decay_steps, 'step')}",
        "step": f"× {number(schedule.gamma)} {_drops(schedule)}, at least {final}",
    }
    fall = falls.get(schedule.scheduler, f"{schedule.scheduler} to {final}")
    return "learning rate", f"{rise}, {fall}", _optimizer(plan)


def _drops(schedule: Schedule) -> str:
    if schedule.step_size:
        return f"every {counted(schedule.step_size, 'step')}"
    return f"at {counted(len(schedule.milestones), 'milestone')}"


def _optimizer(plan: Plan) -> str:
    optimizer = plan.optimizer
    said = {
        "momentum": f"momentum {number(optimizer.momentum)}",
        "betas": f"betas {number(optimizer.betas[0])}, {number(optimizer.betas[1])}",
        "eps": f"eps {number(optimizer.eps)}",
    }
    settings = ["in wiring.py"] if optimizer.type == "target" else []
    settings += [shown for key, shown in said.items() if key not in UNUSED.get(optimizer.type, ())]
    reach = "all parameters" if optimizer.decay_norm_and_bias else "matrices only"
    name = code(target_of(plan, "optimizer")) if optimizer.type == "target" else optimizer.type
    groups = f", {counted(len(optimizer.groups), 'group')} that differ" if optimizer.groups else ""
    return f"{', '.join([name, *settings])}, weight decay {number(optimizer.weight_decay)} ({reach}){groups}"


def _penalties(plan: Plan) -> tuple[str, str, str]:
    shown = ", ".join(f"{name} × {number(weight)}" for name, weight in _weights(plan).items() if weight)
    return "penalties", shown, "added to the loss that is trained on, not to the held-out loss"


def _weights(plan: Plan) -> dict[str, float]:
    said = plan.penalties
    early = f"ends before {counted(said.min_sequence_length, 'token')}"
    return {"repetition": said.repetition, "immediate repetition": said.immediate_repetition, early: said.eos}


def _clipping(plan: Plan) -> tuple[str, str, str]:
    clip, health = plan.optimizer.gradient_clipping, plan.gradient_health
    if health.enabled:
        first, last = number(health.initial_clip_value), number(health.final_clip_value)
        lowers = f", × {number(health.lr_reduction_factor)} on the rate" if health.auto_reduce_lr else ""
        explosion = f"a norm above {number(health.explosion_threshold)} is an explosion{lowers}"
        return "gradient clipping", f"norm {first} → {last} in {counted(health.warmup_steps, 'step')}", explosion
    return "gradient clipping", f"norm {number(clip)}" if clip else "off", "by DeepSpeed, over all ranks"


def _evaluation(plan: Plan) -> tuple[str, str, str]:
    said = plan.evaluation
    often = 0 < said.every_steps < plan.schedule.max_steps + (not said.at_end)
    times = [f"every {counted(said.every_steps, 'step')}"] if often else []
    times += ["at the end"] if said.at_end else []
    if not times:
        return "evaluation", "never", ""
    return "evaluation", " and ".join(times), f"{_evaluated(plan)} {held_out(plan.data)}{_early(plan)}"


def _evaluated(plan: Plan) -> str:
    """How many samples one evaluation reads: the least of what each limit allows."""
    said, ranks = plan.evaluation, plan.topology.data_parallel
    read = said.max_batches * said.micro_batch_size * ranks
    limit = min((most for most in (read, plan.data.max_eval_samples) if most), default=0)
    if not limit:
        return "all of"
    shares = f" ({said.max_batches:,} × {said.micro_batch_size:,} on each rank)" if limit == read else ""
    return f"at most {counted(limit, 'sample')} over all ranks{shares} of"


def _early(plan: Plan) -> str:
    patience, threshold = plan.early_stopping.patience, plan.early_stopping.threshold
    least = f" of at least {number(threshold)}" if threshold else ""
    return f"; stops after {counted(patience, 'evaluation')} without improvement{least}" if patience else ""


def _checkpoints(plan: Plan) -> tuple[str, str, str]:
    said = plan.checkpoint
    if not 0 < said.every_steps < plan.schedule.max_steps:
        return "checkpoints", f"at the end, {size(said.bytes_each)}", "none on the way: an interrupted run saves first"
    keep = f"last {said.keep_last}" if said.keep_last else "all"
    keep += f" and best {said.keep_best}" if said.keep_best and said.keep_last else ""
    value = f"every {counted(said.every_steps, 'step')}, {saves(plan):,} × {size(said.bytes_each)}, {keep} kept"
    return "checkpoints", value, f"{size(bytes_kept(plan))} on disk, one more while saving{_resuming(plan)}"


def _resuming(plan: Plan) -> str:
    """What a resume accepts that is refused unless the spec says otherwise."""
    said = plan.checkpoint
    accepted = ["another number of ranks"] if said.elastic else []
    accepted += ["other numerics"] if said.on_changed_numerics == "continue" else []
    return f"; resumes with {' and '.join(accepted)}" if accepted else ""


def _limit(plan: Plan) -> tuple[str, str, str]:
    lead = f"asked to save {duration(plan.launch.signal_lead_s)} before it, on Slurm"
    return "wall-time limit", wall_time_limit(plan), f"each attempt; {lead}"


def _restarts(plan: Plan) -> tuple[str, str, str]:
    again = way_back(plan, "queued again by itself")
    failures = "launch.sh starts again after a killed, lost or hung rank; " if plan.launch.restart else ""
    return (
        "attempts",
        most_attempts(plan),
        f"{again} after a save; {failures}any other failure stays one",
    )


def _watchdog(plan: Plan) -> tuple[str, str, str]:
    if plan.launch.watchdog_s == 0:
        return "watchdog", "off", f"a hang ends when collectives give up, after {duration(plan.topology.timeout_s)}"
    return "watchdog", duration(plan.launch.watchdog_s), "a rank without a step for so long ends the run, with code 77"


def way_back(plan: AnyPlan, queued: str) -> str:
    """How the run goes on after a save, in words: ``queued`` where its job goes back into the queue."""
    several = plan.launch.max_attempts > 1
    if plan.slurm.requeue and several:
        return queued
    return "continued by the next job of its chain" if plan.slurm.chain and several else "to be started again by hand"
