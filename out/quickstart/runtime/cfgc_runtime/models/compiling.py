"""torch.compile through DeepSpeed's engine, so that a run and its continuation run the same kernels."""

from __future__ import annotations

from typing import Any


def compile_model(engine: Any) -> None:  # DeepSpeedEngine
    """Compile the model of ``engine`` at its first forward pass, once for each shape of a batch.

    One kernel for all shapes, made when the second shape comes, would take over from the first one's: the curve would
    depend on whether an evaluation was before. Dropout draws the numbers that it draws without compiling. ZeRO's hooks
    stay outside of what is compiled.
    """
    engine.compile(backend="inductor", compile_kwargs={"dynamic": False, "options": {"fallback_random": True}})
