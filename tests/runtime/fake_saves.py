"""Checkpoints of an engine without torch's weight: one rank, one number."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cfgc_runtime.checkpoints.saving import Checkpoints


class OneRank:
    """The only rank, which needs no network."""

    rank, size = 0, 1

    def gather(self, value: Any) -> list[Any]:
        return [value]

    def first(self, value: Any) -> Any:
        return value

    def wait(self) -> None:
        return


class FakeEngine:
    """Saves a number as DeepSpeed would, under its name for rank 0's weights."""

    def __init__(self) -> None:
        self.raw = self
        self.number = 0
        self.fails = False
        self.optimizer = SimpleNamespace(param_groups=[{"params": [], "lr": 0.1}], state={})
        self._config = SimpleNamespace(load_universal_checkpoint=False)

    def save_checkpoint(self, directory: str, tag: str, client_state: object, save_latest: bool) -> None:
        assert not save_latest
        (Path(directory) / tag).mkdir(parents=True, exist_ok=True)
        with (Path(directory) / tag / "mp_rank_00_model_states.pt").open("w") as file:
            file.write(str(self.number)[:1])
            file.flush()
            sys.audit("test.half", file.name)  # half a file is on disk
            file.write(str(self.number)[1:])
        if self.fails:
            raise OSError(28, "No space left on device")

    def load_checkpoint(self, directory: str, tag: str) -> tuple[str, dict[str, Any]]:
        self.number = int((Path(directory) / tag / "mp_rank_00_model_states.pt").read_text())
        return tag, {}


class Saves:
    """Checkpoints of a fake engine below a directory, and what was said."""

    def __init__(
        self,
        directory: Path,
        keep_last: int = 2,
        plan: str = "sha256:a",
        zero_stage: int = 0,
        keep_best: int = 0,
        logistics: dict[str, Any] | None = None,
    ) -> None:
        self.said: list[str] = []
        self.engine = FakeEngine()
        self.directory = directory
        ranks: Any = OneRank()
        keep = SimpleNamespace(keep_last=keep_last, keep_best=keep_best)
        seed = SimpleNamespace(seed=7)
        config: Any = SimpleNamespace(CHECKPOINT=keep, ZERO_STAGE=zero_stage, PLAN_DIGEST=plan, EXPERIMENT=seed)
        values: dict[str, dict[str, Any]] = {
            "numerics": {"training.learning_rate": plan},
            "resources": {},
            "logistics": logistics or {},
            "ds_config": {},
        }
        self.checkpoints = Checkpoints(directory, ranks, config, values, self.said.append)

    def save(self, *steps: int, loss: float | None = None) -> None:
        """Save ``steps``, each evaluated with ``loss`` unless that is None."""
        for step in steps:
            self.engine.number = step
            last = {"loss": loss, "step": step if loss is not None else 0}
            self.checkpoints.save(self.engine, step, {"seconds": 1.5, "last": last})  # type: ignore[arg-type]

    def resume(self) -> int | None:
        found = self.checkpoints.resume(self.engine)  # type: ignore[arg-type]
        assert found is None or self.engine.number == found.step
        return found.step if found else None

    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def file(self, step: int, name: str = "mp_rank_00_model_states.pt") -> Path:
        return self.directory / f"step-{step:08d}" / name
