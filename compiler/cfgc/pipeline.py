"""The whole compiler: each phase's outcome is the next one's input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cfgc.deepspeed.checking import check_ds_config
from cfgc.emit.bundle import Bundle, emit_bundle
from cfgc.load.loader import load_spec
from cfgc.load.reader import Reader
from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import AnyPlan
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_graph
from cfgc.sweep.reading import is_sweep
from cfgc.usercode.reading import with_user_code
from cfgc.validate.checker import Checked, check_resolved

__all__ = ["check_ds_config", "check_spec", "compile_spec", "plan_spec", "resolve_spec"]
"""``check_ds_config`` is a short road of its own: a ds_config is read, then judged."""


def resolve_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> Resolved:
    """Load and merge the spec that ``reader`` knows as ``logical``; read the code it names. Raises ``Rejected``."""
    graph = load_spec(reader, logical, overrides)
    return with_user_code(reader, resolve_graph(graph))


def check_spec(
    reader: Reader, logical: str, overrides: Sequence[str] = (), progress: Callable[[int, int], None] | None = None
) -> Checked:
    """The above, and every schema and rule check. Raises ``Rejected``; warnings are in the outcome.

    Of a sweep every point is compiled; ``progress`` is told how many are done, of how many.
    """
    resolved = resolve_spec(reader, logical, overrides)
    if is_sweep(resolved):
        from cfgc.sweep.checking import check_sweep  # which needs the emitters too

        return check_sweep(reader, logical, overrides, resolved, progress)
    return check_resolved(resolved)


def plan_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> AnyPlan:
    """The above, and all arithmetic. Raises ``Rejected``."""
    return lower_spec(check_spec(reader, logical, overrides))


def compile_spec(reader: Reader, logical: str, overrides: Sequence[str] = ()) -> Bundle:
    """The whole road: a spec becomes a bundle in memory. Raises ``Rejected``."""
    return emit_bundle(plan_spec(reader, logical, overrides))
