"""Whether a configuration of transformers is one that the runtime trains: dense, with heads that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import WRONG_WORLD, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXPERTS = frozenset(
    {"num_experts", "num_local_experts", "n_routed_experts", "num_routed_experts", "moe_num_experts", "n_experts"}
)
"""What configurations call the number of experts."""
SWITCHES = ("is_moe", "enable_moe_block")
"""Keys that, when false, make experts of a configuration mean nothing."""


def check_dense(settings: Any, place: str) -> None:
    """Refuse experts, with what ``place`` says of them. ``settings`` are a PretrainedConfig, defaults included."""
    for name, number in _experts(settings.to_dict()):
        if number > 1:
            raise Failure(
                WRONG_WORLD,
                f"{place} describes a mixture of experts ({settings.model_type}, {name} = {number}), which this "
                "runtime does not train: it has no loss that balances the load of experts; take a dense model",
            )


def _experts(settings: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Numbers of experts by name; some configurations have them in a table of their own."""
    if any(settings.get(switch) is False for switch in SWITCHES):
        return
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _experts(value)
        elif key in EXPERTS and type(value) is int:
            yield key, value


def check_heads(settings: Any, place: str) -> None:
    """Refuse key and value heads that the heads cannot share evenly: such a model would die at its first step."""
    heads, shared = getattr(settings, "num_attention_heads", None), getattr(settings, "num_key_value_heads", None)
    latent = getattr(settings, "kv_lora_rank", None)  # keys and values of such a model are made for every head
    if type(heads) is not int or type(shared) is not int or shared < 1 or latent or heads % shared == 0:
        return
    raise Failure(
        WRONG_WORLD,
        f"{place} has {heads} attention heads, which cannot share {shared} key and value heads evenly; write "
        f"`num_key_value_heads = {heads}`, or a divisor of it (left out, it is {settings.model_type}'s default)",
    )
