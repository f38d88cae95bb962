"""Trackers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cfgc.schema.trackers import is_on
from cfgc.validate.rules.finding import At, error
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

KEY: Final = "WANDB_API_KEY"
REQUIRED, TABLE = "env.required", "tracking.wandb"


def wandb_has_its_key(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG497: a run that reports to Weights & Biases is started with the key."""
    said = spec.tracking.wandb
    if not is_on(said) or said.mode == "offline" or KEY in spec.env.required:
        return
    written = [f"{TABLE}.{name}" for name in type(said).model_fields if getattr(said, name) is not None]
    as_switch = written == [f"{TABLE}.enabled"]  # `wandb = true`, beside which there can be no table
    offline = 'write `wandb = { mode = "offline" }`' if as_switch else f'set `{TABLE}.mode = "offline"`'
    required = toml_text([*spec.env.required, KEY])
    yield error(
        "CFG497",
        f"W&B is on, and `{REQUIRED}` does not ask for `{KEY}`",
        resolved,
        [At(written[0], "reports over the network"), At(REQUIRED, "what must be set where the run starts")],
        ("without the key, training would start and its report would not",),
        (
            f"set `env.required = {required}`; the bundle holds its name only",
            f"or {offline}: files in the run directory, which `wandb sync` sends later",
        ),
    )
