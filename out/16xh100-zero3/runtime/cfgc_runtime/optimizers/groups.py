"""Which parameters share a weight decay and a learning rate."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import WRONG_WORLD, Failure
from cfgc_runtime.optimizers.muon import hidden_matrices

if TYPE_CHECKING:
    from torch import nn

    from cfgc_runtime.config import Optimizer


def parameter_groups(model: nn.Module, optimizer: Optimizer) -> list[dict[str, Any]]:
    """Groups for torch, each with its ``weight_decay`` and ``learning_rate_scale``.

    A parameter belongs to the first of the plan's groups whose pattern matches its name, else to the rest. Norms and
    biases (one dimension) have no decay unless the plan says so. Muon's groups say which half updates them. Raises
    ``Failure`` when a pattern matches nothing that an earlier one left.
    """
    left = {name: one for name, one in model.named_parameters() if one.requires_grad}
    matrices = hidden_matrices(model) if optimizer.type == "muon" else None
    groups: list[dict[str, Any]] = []
    for rule in optimizer.groups:
        names = [name for name in left if fnmatchcase(name, rule.pattern)]
        if not names:
            raise Failure(WRONG_WORLD, _unmatched(rule.pattern, list(left)))
        taken = [left.pop(name) for name in names]
        groups += _split(taken, rule.weight_decay, rule.decay_norm_and_bias, rule.learning_rate_scale, matrices)
    rest = list(left.values())
    return groups + _split(rest, optimizer.weight_decay, optimizer.decay_norm_and_bias, 1.0, matrices)


def _split(
    parameters: list[nn.Parameter], decay: float, all_decay: bool, scale: float, matrices: Any
) -> list[dict[str, Any]]:
    """Decayed and not, and by half of Muon; without those that would be empty."""
    found: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for one in parameters:
        own = decay if all_decay or one.dim() > 1 else 0.0
        found.setdefault((own, matrices is not None and id(one) in matrices), []).append(one)
    return [
        {"params": params, "weight_decay": own, "learning_rate_scale": scale}
        | ({} if matrices is None else {"muon": muon})
        for (own, muon), params in sorted(found.items(), key=lambda item: item[0], reverse=True)
    ]


def _unmatched(pattern: str, names: list[str]) -> str:
    examples = ", ".join(names[:3]) or "none is left"
    return f"no parameter matches the pattern {pattern!r} of `training.optimizer.groups`; names are such as {examples}"
