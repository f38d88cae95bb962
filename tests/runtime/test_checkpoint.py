"""A checkpoint is whole or it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime.checkpoint import Checkpoints
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure

if TYPE_CHECKING:
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

    def __init__(self, directory: Path, keep_last: int = 2, plan: str = "sha256:a") -> None:
        self.said: list[str] = []
        self.engine = FakeEngine()
        self.directory = directory
        ranks: Any = OneRank()
        self.checkpoints = Checkpoints(directory, ranks, plan, 0, keep_last, self.said.append)

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


def test_another_plan_is_refused(tmp_path: Path) -> None:
    Saves(tmp_path).save(4)
    with pytest.raises(Failure, match="saved by another plan"):
        Saves(tmp_path, plan="sha256:b").resume()


def test_a_replacement_that_was_cut_off_keeps_the_old_one(tmp_path: Path) -> None:
    saves = Saves(tmp_path)
    saves.save(4)
    (tmp_path / "step-00000004").rename(tmp_path / "replaced-step-00000004")
    assert Saves(tmp_path).resume() == 4
