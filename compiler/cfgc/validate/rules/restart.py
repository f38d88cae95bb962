"""Ranks that hang, and starts that follow a failure by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.schema.units import format_duration
from cfgc.validate.rules.finding import At, count, is_default, warning

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

WATCHDOG, TIMEOUT = "launch.watchdog", "launch.timeout"
RESTART, DELAY, ATTEMPTS = "launch.restart", "launch.restart_delay", "launch.max_attempts"


def watchdog_comes_first(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG621: the rank that hangs is named before the others give up waiting for it."""
    watchdog, timeout = spec.launch.watchdog, spec.launch.timeout
    if watchdog is None or watchdog == 0 or watchdog < timeout:
        return
    yield warning(
        "CFG621",
        "the ranks give up waiting for a hung one before the watchdog names it",
        resolved,
        [
            At(WATCHDOG, f"names it after {format_duration(watchdog)}"),
            At(TIMEOUT, f"others wait {format_duration(timeout)}"),
        ],
        ("what is said then is that a peer is gone, with exit code 76 instead of 77",),
        (f'set `watchdog = "{format_duration(max(1, timeout // 2))}"`, or drop it: that is the default',),
    )


def restarts_have_attempts(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG622: a run that starts again by itself may start more than once."""
    if not spec.launch.restart or spec.launch.max_attempts > 1:
        return
    yield warning(
        "CFG622",
        "launch.sh is to start again, and may start only once",
        resolved,
        [At(RESTART, "starts again"), At(ATTEMPTS, "1 start in all")],
        (),
        ("set `max_attempts = 5`", "or set `restart = false`"),
    )


def delay_is_used(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG623: the wait before a start is that of starts that happen by themselves."""
    delay = spec.launch.restart_delay
    if spec.launch.restart or is_default(DELAY, delay):
        return
    yield warning(
        "CFG623",
        "nothing waits for `launch.restart_delay`: the run never starts again by itself",
        resolved,
        [At(DELAY, format_duration(delay)), At(RESTART, "false")],
        (),
        ("set `restart = true`", "or drop `restart_delay`"),
    )


def restarts_are_on_one_machine(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG624: launch.sh starts again on one machine; of several, each is started by hand or by Slurm."""
    if not spec.launch.restart or spec.launch.nodes == 1:
        return
    yield warning(
        "CFG624",
        "`launch.restart` has no effect on a run of several nodes",
        resolved,
        [
            At(RESTART, "launch.sh starts again"),
            At("launch.nodes", f"{count(spec.launch.nodes, 'node')}, each started by itself"),
        ],
        ("a job is queued again after a preemption that saved (`cluster.requeue`), and never after a failure",),
        ("set `restart = false`",),
    )
