"""What may change between two attempts of a run. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import Failure
from cfgc_runtime.rundir import ELSEWHERE
from cfgc_runtime.values import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cfgc_runtime.values import Difference, Values

CONTINUE: Final = "checkpoint.on_changed_numerics"
ELASTIC: Final = "checkpoint.elastic"
_STAGE: Final = "deepspeed.zero.stage"


def check_changes(found: Sequence[Difference], values: Values, code: int, run: str, state_is_saved: bool) -> None:
    """Raise ``Failure`` with ``code`` for differences that ``values``, the new ones, do not allow.

    ``run`` names what the old values belong to. Nothing is laid out until ``state_is_saved``.
    """
    said = values["logistics"]
    if (numerics := [one for one in found if one.kind == "numerics"]) and said.get(CONTINUE) != "continue":
        raise Failure(
            code,
            f"{run} trains with other values, and its loss curve would change:{listing(numerics)}\n"
            f"put them back, start in another run directory ({ELSEWHERE}), "
            f'or accept it: set {CONTINUE} = "continue" in the spec and build again',
        )
    layout = [one for one in found if one.lays_out] if state_is_saved else []
    if stages := [one for one in layout if one.key == _STAGE]:
        raise Failure(code, f"{run} holds state of another ZeRO stage, which cannot be converted:{listing(stages)}")
    if layout and not said.get(ELASTIC):
        raise Failure(
            code,
            f"{run} holds state that is cut for other ranks:{listing(layout)}\n"
            f"put them back, or let the run convert it once: set {ELASTIC} = true in the spec and build again",
        )


def summary(found: Sequence[Difference]) -> str:
    """In one line what changed: the first few of ``found`` and how many more."""
    shown = ", ".join(str(one) for one in found[:4])
    return shown + (f" and {len(found) - 4} more" if len(found) > 4 else "")
