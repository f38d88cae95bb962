"""Tables that may be written as a switch: ``wandb = true`` is ``wandb.enabled = true``, in every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cfgc.origin import Path, Value

SWITCH: Final = "enabled"
"""The key that turns such a table on or off."""

SWITCHES: Final[frozenset[tuple[str, ...]]] = frozenset({("tracking", "wandb"), ("tracking", "mlflow")})


def key_of(path: Path, value: Value) -> Path:
    """The key that ``value``, written at ``path``, sets."""
    return (*path, SWITCH) if path in SWITCHES and isinstance(value, bool) else path
