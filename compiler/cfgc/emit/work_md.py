"""How much PLAN.md says there is to compute, and how long that takes."""

from __future__ import annotations

from cfgc.emit.cost_md import in_gpu_hours
from cfgc.emit.markdown import counted
from cfgc.lower.plan import Plan

TYPICAL = 0.4
"""Share of the peak that well-tuned dense training reaches on recent GPUs (MFU of 38–43 %: the Llama 3 report)."""


def compute(plan: Plan) -> list[tuple[str, str, str]]:
    """A row with the operations of a step and of all; none where the size of the model is not known."""
    each = plan.estimate.flops_per_token
    if not each or not plan.batch.tokens_per_step:
        return []
    step, whole = each * plan.batch.tokens_per_step, each * plan.schedule.total_tokens
    return [("compute per step / in all", f"{step:.2g} / {whole:.2g} FLOP", f"{each:.2g} a token{_time(plan)}")]


def expected_seconds(plan: Plan) -> float:
    """Seconds that the whole training takes at the typical share of the peak; 0 is unknown."""
    if not plan.tracking.peak_flops:
        return 0.0
    return plan.estimate.flops_per_token * plan.schedule.total_tokens / (TYPICAL * plan.tracking.peak_flops)


def hours(seconds: float) -> str:
    """``about 21.2 h``, ``about 5 min``, ``less than a minute``."""
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 3600:,.1f} h" if seconds >= 3600 else f"about {round(seconds / 60)} min"


def _time(plan: Plan) -> str:
    seconds = expected_seconds(plan)
    if not seconds:
        return ""
    devices = f"{counted(plan.topology.world_size, 'device')} × {plan.estimate.peak_tflops:,.0f} TFLOP/s"
    cost = f" = {in_gpu_hours(seconds * plan.topology.world_size / 3600)}" if seconds >= 3600 else ""
    return f"; {hours(seconds)}{cost} at {TYPICAL * 100:.0f} % of the peak of {devices}"
