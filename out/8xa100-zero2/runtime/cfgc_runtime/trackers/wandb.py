"""Weights & Biases, online or as files for ``wandb sync``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cfgc_runtime.errors import FINISHED, PREEMPTED, is_failure
from cfgc_runtime.trackers.sent import Sent
from cfgc_runtime.trackers.tracker import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cfgc_runtime import config
    from cfgc_runtime.trackers.tracker import Subject

_PATIENCE_S = 60
_SETTLING_S = 15.0
"""W&B's service has written what it was given this long ago; a kill takes what is younger."""


class Wandb:
    """Every attempt continues the same run there; each line of metrics is a row, with its own ``step``."""

    title = "W&B"

    def __init__(self, settings: config.Wandb, subject: Subject) -> None:
        self._settings, self._subject = settings, subject
        self._sent = Sent(subject.directory / "wandb.sent.json", _SETTLING_S)
        self._run: Any = None

    def open(self, step: int) -> None:
        """Start or continue the run. Its key comes from WANDB_API_KEY."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self._subject.directory.mkdir(parents=True, exist_ok=True)
        self._sent.load()
        try:
            self._run = self._init(wandb)
        except Exception:
            wandb.teardown()  # the next try is refused while this one's service remembers the run
            raise
        self._run.define_metric("step", hidden=True)
        self._run.define_metric("*", step_metric="step")
        for line in self._subject.lines_until(step):
            self.log(line)

    def _init(self, wandb: Any) -> Any:
        said, subject = self._settings, self._subject
        return wandb.init(
            mode=said.mode,
            project=said.project,
            entity=said.entity or None,
            group=said.group or None,
            name=said.name or subject.name,
            notes=subject.description or None,
            tags=list(subject.tags) or None,
            id=subject.id,
            resume=None if said.mode == "offline" else "allow",
            dir=str(subject.directory),
            config=dict(subject.spec),
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, disable_code=True, init_timeout=_PATIENCE_S
            ),
        )

    def log(self, line: Mapping[str, Any]) -> None:
        """One row; nothing when an attempt before this one sent it."""
        values = numbers_of(self._sent.new_of(line))
        if not values:
            return
        self._run.log({"step": line["step"], **values}, step=self._sent.lines, commit=True)
        self._sent.add(line)

    def close(self, code: int) -> None:
        """A preempted run is marked so, and a failed one."""
        if code == PREEMPTED:
            self._run.mark_preempting()
        self._run.finish(exit_code=code if is_failure(code) else FINISHED)
        self._sent.settle()
