"""ds_config.json: what DeepSpeed reads, every value concrete."""

from __future__ import annotations

from cfgc.emit.canonical import readable
from cfgc.lower.plan import Plan


def ds_config_json(plan: Plan) -> str:
    """The text of ds_config.json."""
    return readable(plan.ds_config)
