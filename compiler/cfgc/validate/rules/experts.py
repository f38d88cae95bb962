"""Models of transformers whose layers the spec describes: experts, and heads that share keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cfgc.arithmetic.huggingface import whole_number
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, count, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

CONFIG = "model.config"

EXPERTS = frozenset(
    {"num_experts", "num_local_experts", "n_routed_experts", "num_routed_experts", "moe_num_experts", "n_experts"}
)
"""What configurations call the number of experts."""
SWITCHES = ("is_moe", "enable_moe_block")
"""Keys that, when false, make experts of a configuration mean nothing."""

MIXTURES = frozenset(
    {
        "dbrx", "deepseek_v2", "deepseek_v3", "deepseek_v32", "dots1", "flex_olmo", "gpt_oss", "granitemoe", "jamba",
        "jetmoe", "kimi_linear", "llama4_text", "longcat_flash", "minimax", "minimax_m2", "mixtral", "nllb_moe",
        "olmoe", "phimoe", "qwen2_moe", "qwen3_moe", "qwen3_next", "switch_transformers",
    }
)  # fmt: skip
"""Architectures that have experts unless their configuration says otherwise; as has each with ``moe`` in its name."""

DENSE = {"mixtral": "mistral", "qwen2_moe": "qwen2", "qwen3_moe": "qwen3", "olmoe": "olmo2", "granitemoe": "granite"}
"""The dense architecture of the same family; llama for the others."""

SHARED_BY_DEFAULT = {
    "bitnet": 5, "exaone4": 32, "gemma": 16, "gemma2": 4, "glm": 2, "glm4": 2, "helium": 20, "ministral": 8,
    "mistral": 8, "qwen2": 32, "qwen3": 32, "smollm3": 4, "stablelm": 32, "starcoder2": 2,
}  # fmt: skip
"""Key and value heads of a configuration that leaves them out, where that is no matter of its heads."""


def model_is_dense(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG450: a configuration of transformers has no experts; nothing here would balance their load."""
    said = spec.model
    if said.kind != "huggingface" or not said.config:
        return
    counts = list(_experts(said.config, ()))
    many = [(path, number) for path, number in counts if number > 1]
    kind = said.config.get("model_type")
    mixture = kind if isinstance(kind, str) and (kind in MIXTURES or "moe" in kind) else ""
    if many:
        path, number = many[0]
        yield _mixture(resolved, f"{'.'.join((CONFIG, *path))} = {number}", [found for found, _ in many], mixture)
    elif mixture and not counts:
        yield _mixture(resolved, f'{CONFIG}.model_type = "{mixture}"', [], mixture)


def _experts(config: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Numbers of experts by place; some configurations have them in a table of their own."""
    if any(config.get(switch) is False for switch in SWITCHES):
        return
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _experts(value, (*above, key))
        elif key in EXPERTS and type(value) is int:
            yield (*above, key), value


def _mixture(resolved: Resolved, shown: str, counts: list[tuple[str, ...]], mixture: str) -> Diagnostic:
    """``counts`` are the places of numbers of experts, ``mixture`` the architecture that has them, or empty."""
    remedy, dense = Remedy(resolved), DENSE.get(mixture, "llama")
    edits = [edit for path in counts for edit in remedy.drop(("model", "config", *path))]
    edits += remedy.set(("model", "config", "model_type"), dense) if mixture else ()
    return error(
        "CFG450",
        f"`{shown}` is not supported by this runtime yet",
        resolved,
        [
            At(".".join((CONFIG, *path)), "nor is this" if n else "")
            for n, path in enumerate(counts or [("model_type",)])
        ],
        ("a mixture of experts trains with a loss that balances their load, which the runtime would leave out",),
        (f'a dense architecture, such as "{dense}", trains' if mixture else "a configuration without experts trains",),
        one_fix(edits),
    )


def config_heads_share_evenly(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG411: the same of a configuration, whose key and value heads transformers fills in when they are left out."""
    said = spec.model
    if said.kind != "huggingface" or not said.config:
        return
    config = said.config
    heads, written = whole_number(config, "num_attention_heads"), whole_number(config, "num_key_value_heads")
    filled_in = SHARED_BY_DEFAULT.get(str(config.get("model_type")), 0)
    shared = written or (0 if "num_key_value_heads" in config else filled_in)
    if not heads or not shared or heads % shared == 0:
        return
    key = f"{CONFIG}.num_key_value_heads"
    places = [At(key, count(shared, "key and value head"))] if written else []
    left_out = f"`num_key_value_heads` is left out: transformers takes {shared} for {config.get('model_type')}"
    yield error(
        "CFG411",
        f"{count(shared, 'key and value head')} cannot be shared evenly by {count(heads, 'head')}",
        resolved,
        [*places, At(f"{CONFIG}.num_attention_heads", count(heads, "head"))],
        ("" if written else left_out, f"{heads} ÷ {shared} leaves {heads % shared}"),
        (f"write `num_key_value_heads = {heads}` under `[model.config]`; a divisor of it shares them",),
        one_fix(Remedy(resolved).set(("model", "config", "num_key_value_heads"), heads)),
    )
