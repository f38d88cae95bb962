"""A checkpoint is whole or it is not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime.checkpoints import loading
from cfgc_runtime.checkpoints.complete import missing_parts, newest_first
from cfgc_runtime.checkpoints.shelf import best_first
from cfgc_runtime.errors import BAD_CHECKPOINT, Failure
from tests.runtime.fake_saves import Saves

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_nothing_to_resume(tmp_path: Path) -> None:
    assert Saves(tmp_path / "checkpoints").resume() is None


@pytest.mark.covers("checkpoint.keep_last")
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


@pytest.mark.covers("checkpoint.keep_best")
def test_the_best_few_are_kept_besides_the_newest(tmp_path: Path) -> None:
    saves = Saves(tmp_path, keep_last=1, keep_best=2)
    for step, loss in ((4, 3.0), (8, 1.0), (12, 2.0), (16, 4.0), (20, 1.0)):
        saves.save(step, loss=loss)
    assert saves.names() == ["step-00000008", "step-00000020"], "of equal losses the earlier step is the better one"
    saves.save(24, loss=0.5)
    assert saves.names() == ["step-00000008", "step-00000024"]
    saves.save(28, loss=9.0)
    assert saves.names() == ["step-00000008", "step-00000024", "step-00000028"]


@pytest.mark.parametrize("last", [{"loss": None, "step": 0}, {"loss": None, "step": 8}, {"loss": 1.0, "step": 4}])
def test_a_checkpoint_without_a_loss_of_its_own_is_never_the_best(tmp_path: Path, last: dict[str, Any]) -> None:
    saves = Saves(tmp_path, keep_last=1, keep_best=1)
    saves.save(4, loss=5.0)
    saves.checkpoints.save(saves.engine, 8, {"last": last})  # type: ignore[arg-type]
    assert saves.names() == ["step-00000004", "step-00000008"]
    assert [name for name, _ in best_first(newest_first(tmp_path))] == ["step-00000004"]


def test_all_are_kept_when_keep_last_is_0(tmp_path: Path) -> None:
    saves = Saves(tmp_path, keep_last=0)
    saves.save(4, 8, 12, 16)
    assert len(saves.names()) == 4


def test_two_damaged_ones_are_passed_by(tmp_path: Path) -> None:
    saves = Saves(tmp_path, keep_last=3)
    saves.save(4, 8, 12)
    saves.file(12).write_text("1")
    saves.file(8, "complete.json").write_text("{")
    again = Saves(tmp_path, keep_last=3)
    assert again.resume() == 4
    assert again.said == [
        "checkpoint step-00000012 is damaged (mp_rank_00_model_states.pt); trying the one before",
        "checkpoint step-00000008 is damaged (complete.json); trying the one before",
        "damaged checkpoints are kept as damaged-…, and can be deleted: step-00000012, step-00000008",
    ]
    assert again.names() == ["damaged-step-00000008", "damaged-step-00000012", "step-00000004"]


@pytest.mark.covers("checkpoint.on_changed_numerics")
def test_another_plan_goes_on_when_its_spec_says_so(tmp_path: Path) -> None:
    Saves(tmp_path).save(4)
    again = Saves(tmp_path, plan="sha256:b", logistics={"checkpoint.on_changed_numerics": "continue"})
    again.engine.optimizer.param_groups = [{"params": [], "lr": 0.3, "step": 9}]
    assert again.resume() == 4
    assert again.said == ['since step-00000004 was saved: training.learning_rate: "sha256:a" → "sha256:b"']


def test_the_settings_of_the_plan_outlive_those_in_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Saves(tmp_path).save(4)
    again = Saves(tmp_path)
    again.engine.optimizer.param_groups = [{"params": [1], "weight_decay": 0.1}, {"params": [2], "weight_decay": 0.0}]
    load = again.engine.load_checkpoint

    def load_and_mix(directory: str, tag: str) -> Any:
        again.engine.optimizer.param_groups = [{"params": [1], "weight_decay": 0.1, "step": 4} for _ in range(2)]
        return load(directory, tag)

    monkeypatch.setattr(again.engine, "load_checkpoint", load_and_mix)
    assert again.resume() == 4
    assert [group["weight_decay"] for group in again.engine.optimizer.param_groups] == [0.1, 0.0]
    assert [group["step"] for group in again.engine.optimizer.param_groups] == [4, 4]


def test_what_does_not_fit_the_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Saves(tmp_path).save(4)
    again = Saves(tmp_path)

    def refuse(directory: str, tag: str) -> Any:
        raise RuntimeError("size mismatch for head.weight")

    monkeypatch.setattr(again.engine, "load_checkpoint", refuse)
    with pytest.raises(Failure, match=r"does not fit the model or the optimizer of this plan: size mismatch") as caught:
        again.resume()
    assert caught.value.code == BAD_CHECKPOINT
