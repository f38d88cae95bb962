"""The end, or the state so far: where things are, and the loss curve. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfgc_runtime.checkpoints.complete import newest_first
from cfgc_runtime.checkpoints.shelf import best_first
from cfgc_runtime.curve import draw_curve
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.metrics import is_number, read_metrics
from cfgc_runtime.progress import duration

if TYPE_CHECKING:
    from cfgc_runtime.rundir import RunDirectory


def describe_run(run: RunDirectory) -> str:
    """Several lines for a person. Raises ``Failure`` when ``run`` holds no staged bundle."""
    manifest = read_manifest(run.bundle)
    lines = read_metrics(run.metrics)
    losses = [(line["step"], line["loss"]) for line in lines if is_number(line.get("loss"))]
    held_out = [line["eval_loss"] for line in lines if is_number(line.get("eval_loss"))]
    saved = [one for one in newest_first(run.checkpoints) if one[1]] if run.checkpoints.is_dir() else []
    summary = run.read_finished(manifest.plan_digest)
    text = [_headline(manifest.experiment, None if summary is None else summary["seconds"], losses, held_out)]
    text += ["", "training loss by step", draw_curve(losses), ""] if len(losses) > 1 else []
    text += [f"bundle      {run.bundle}"]
    text += [f"metrics     {run.metrics}"] if run.metrics.exists() else []
    text += [f"tracking    {run.tracking}"] if run.tracking.is_dir() else []
    text += [f"checkpoint  {run.checkpoints / saved[0][0]}"] if saved else []
    text += ["checkpoint  none yet"] if losses and not saved else []
    best = best_first(saved)[:1]
    text += [f"best        {run.checkpoints / name} (held-out loss {loss:.3f})" for name, loss in best]
    return "\n".join(text)


def _headline(name: str, seconds: float | None, losses: list[tuple[int, float]], held_out: list[float]) -> str:
    if not losses:
        return f"{name} has not trained yet" if seconds is None else f"{name} is finished: it took {duration(seconds)}"
    (first_step, first), (last_step, last) = losses[0], losses[-1]
    state = f"finished after {duration(seconds)} of training" if seconds is not None else "is not finished"
    loss = f"loss {first:.3f} at step {first_step:,} → {last:.3f} at step {last_step:,}"
    return f"{name} {state}: {loss}" + (f" · held-out loss {held_out[-1]:.3f}" if held_out else "")
