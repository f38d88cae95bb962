"""Which keys take only some texts, and which names and values are the user's own."""

from __future__ import annotations

from cfgc.schema.catalogue import schema_fields
from cfgc.schema.limits import choices_of
from tools.mutations.subjects import Where

TEXTS_OF_DEEPSPEED = {
    ("communication_data_type",),
    ("seq_parallel_communication_data_type",),
    ("data_types", "grad_accum_dtype"),
    ("data_types", "param_dtype"),
    ("gradient_allreduce_op",),
    ("checkpoint", "tag_validation"),
    ("log_level",),
    ("optimizer", "type"),
    ("scheduler", "type"),
    ("scheduler", "params", "warmup_type"),
    ("torch_autocast", "dtype"),
    ("zero_optimization", "offload_optimizer", "device"),
    ("zero_optimization", "offload_param", "device"),
}
"""From DeepSpeed's documentation of ds_config (deepspeed.ai/docs/config-json)."""

FREE_SPEC_TABLES = {("env", "variables"), ("checks", "allow"), ("deepspeed", "raw")}


def has_choices(kind: str, key: Where) -> bool:
    """Whether a text at ``key`` is one of a few."""
    if kind == "ds_config":
        return key in TEXTS_OF_DEEPSPEED
    if key[0] == "overlays":
        return True
    field = schema_fields().get(tuple(part for part in key if isinstance(part, str)))
    return field is not None and bool(choices_of(field.info))


def is_free(kind: str, key: Where) -> bool:
    """Whether no change at ``key`` is a mistake."""
    if kind == "ds_config":
        return False
    return tuple(key[:2]) in FREE_SPEC_TABLES
