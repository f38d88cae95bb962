"""A checkpoint is whole or it is not there."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime.checkpoints import loading
from cfgc_runtime.checkpoints.complete import missing_parts
from cfgc_runtime.checkpoints.saving import Checkpoints
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
        self.optimizer = SimpleNamespace(param_groups=[{"params": [], "lr": 0.1}])

    def save_checkpoint(self, directory: str, tag: str, client_state: object, save_latest: bool) -> None:
        from pathlib import Path

        assert not save_latest
        (Path(directory) / tag).mkdir(parents=True)
        (Path(directory) / tag / "mp_rank_00_model_states.pt").write_text(str(self.number))
        if self.fails:
            raise OSError(28, "No space left on device")

    def load_checkpoint(self, directory: str, tag: str) -> tuple[str, dict[str, Any]]:
        from pathlib import Path

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
        given: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.said: list[str] = []
        self.engine = FakeEngine()
        self.directory = directory
        ranks: Any = OneRank()
        keep = SimpleNamespace(keep_last=keep_last, keep_best=keep_best)
        config: Any = SimpleNamespace(CHECKPOINT=keep, ZERO_STAGE=zero_stage, PLAN_DIGEST=plan)
        values = {"numerics": {"training.learning_rate": plan}, "resources": {}, "logistics": {}, "ds_config": {}}
        self.checkpoints = Checkpoints(directory, ranks, config, values | (given or {}), self.said.append)

    def save(self, *steps: int) -> None:
        for step in steps:
            self.engine.number = step
            self.checkpoints.save(self.engine, step, {"seconds": 1.5})  # type: ignore[arg-type]

    def resume(self) -> int | None:
        found = self.checkpoints.resume(self.engine)  # type: ignore[arg-type]
        assert found is None or self.engine.number == found.step
        return found.step if found else None

    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def file(self, step: int, name: str = "mp_rank_00_model_states.pt") -> Path:
        return self.directory / f"step-{step:08d}" / name


def test_nothing_to_resume(tmp_path: Path) -> None:
    assert Saves(tmp_path / "checkpoints").resume() is None


def test_the_newest_few_are_kept_and_the_newest_is_used(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    saves.save(4, 8, 12)
    assert saves.names() == ["step-00000008", "step-00000012"]
    assert Saves(tmp_path).resume() == 12


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    torch.manual_seed(5)
    saves.save(4)
    expected = torch.rand(3)
    torch.manual_seed(6)
    assert saves.resume() == 4
    assert torch.equal(torch.rand(3), expected)


def test_a_save_that_was_cut_off_is_as_if_it_never_was(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    saves.save(4)
    saves.engine.fails = True
    with pytest.raises(OSError, match="No space left"):
        saves.save(8)
    assert "saving-step-00000008" in saves.names()
    again = Saves(tmp_path)
    assert again.resume() == 4
    assert again.names() == ["step-00000004"]
    assert again.said == []


@pytest.mark.parametrize("name", ["mp_rank_00_model_states.pt", "rng-rank-0.pt", "complete.json"])
@pytest.mark.parametrize("how", ["truncate", "delete"])
def test_a_damaged_newest_falls_back_and_says_so(tmp_path: Path, name: str, how: str) -> None:
    saves = Saves(tmp_path)
    saves.save(4, 8)
    damaged = saves.file(8, name)
    damaged.unlink() if how == "delete" else damaged.write_bytes(damaged.read_bytes()[:-3])
    again = Saves(tmp_path)
    assert again.resume() == 4
    assert again.said[0] == f"checkpoint step-00000008 is damaged ({name}); trying the one before"
    again.save(8)
    assert Saves(tmp_path).resume() == 8


def test_when_all_are_damaged_it_does_not_start_over_by_itself(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    saves.save(4, 8)
    for step in (4, 8):
        saves.file(step).write_text("9")
    with pytest.raises(Failure, match="move it away to start over") as caught:
        Saves(tmp_path).resume()
    assert caught.value.code == BAD_CHECKPOINT


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(files={}),
        lambda content: content.update(files=[]),
        lambda content: content["files"].pop("rng-rank-0.pt"),
        lambda content: content["state"].update(seconds=2.5),
        lambda content: content["state"].clear(),
        lambda content: content.update(step=9),
        lambda content: content.pop("digest"),
    ],
)
def test_the_list_protects_itself(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    saves = Saves(tmp_path)
    saves.save(4, 8)
    rewrite(saves.file(8, "complete.json"), change)
    again = Saves(tmp_path)
    assert again.resume() == 4
    assert again.said[0] == "checkpoint step-00000008 is damaged (complete.json); trying the one before"


def test_a_list_without_every_rank_and_kind_makes_no_checkpoint(tmp_path: Path) -> None:
    model, shards = "mp_rank_00_model_states.pt", [f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt" for rank in (0, 1)]
    rng = [f"rng-rank-{rank}.pt" for rank in (0, 1)]
    assert missing_parts([model, *shards, *rng], 2, zero_stage=2) == []
    assert missing_parts([model, *rng], 2, zero_stage=0) == []
    assert missing_parts([model, shards[0], *rng], 2, zero_stage=2) == ["optim_states of rank 1"]
    assert missing_parts([model, *shards, rng[1]], 2, zero_stage=1) == ["rng of rank 0"]
    assert missing_parts([model, *shards, *rng], 2, zero_stage=3) == ["model_states of rank 1"]
    with pytest.raises(Failure, match="without optim_states of rank 0"):
        Saves(tmp_path, zero_stage=1).save(4)
    assert Saves(tmp_path).resume() is None


def test_only_whole_checkpoints_are_counted_when_old_ones_are_deleted(tmp_path: Path) -> None:
    saves = Saves(tmp_path, keep_last=2)
    saves.save(4, 8)
    saves.file(8).write_text("9")
    again = Saves(tmp_path, keep_last=2)
    assert again.resume() == 4
    assert "damaged checkpoints are kept as damaged-…" in again.said[1]
    again.save(6)
    assert again.names() == ["damaged-step-00000008", "step-00000004", "step-00000006"]


def test_the_newest_is_the_one_of_the_highest_step(tmp_path: Path) -> None:
    saves = Saves(tmp_path, keep_last=2)
    saves.save(99_999_996, 99_999_998, 100_000_000)
    assert saves.names() == ["step-100000000", "step-99999998"]
    assert Saves(tmp_path).resume() == 100_000_000


def test_a_resume_under_another_release_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Saves(tmp_path).save(4)
    monkeypatch.setattr(loading, "installed_releases", lambda: {"torch": "9.9.9"})
    again = Saves(tmp_path)
    assert again.resume() == 4
    saved = torch.__version__.partition("+")[0]
    assert again.said[0].startswith(f"step-00000004 was saved under torch {saved}, this is 9.9.9")


def test_another_plan_is_refused(tmp_path: Path) -> None:
    Saves(tmp_path).save(4)
    with pytest.raises(Failure, match=r'learning_rate: "sha256:a" → "sha256:b"\n.*on_changed_numerics = "continue"'):
        Saves(tmp_path, plan="sha256:b").resume()


def test_a_replacement_that_was_cut_off_keeps_the_old_one(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    saves.save(4)
    (tmp_path / "step-00000004").rename(tmp_path / "replaced-step-00000004")
    assert Saves(tmp_path).resume() == 4
