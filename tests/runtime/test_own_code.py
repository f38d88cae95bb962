"""The user's own code in a run: what it gives is checked, and whose mistake an error is."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cfgc_runtime.data.samples import MicroBatch
from cfgc_runtime.data.user_feed import load_user_feed
from cfgc_runtime.errors import INTERNAL, NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.own_code import own_loss, own_metrics, own_model, own_optimizer
from cfgc_runtime.wiring import NO_CODE, describe_modules, load_wiring

BATCH = {"labels": torch.zeros(4, dtype=torch.int64)}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for a wiring.py, and an empty project that the run starts in."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write_module(name: str, text: str) -> None:
    Path(f"{name}.py").write_text(textwrap.dedent(text))


def failure_of(bundle: Path, wiring: str) -> Failure:
    (bundle / "wiring.py").write_text(wiring)
    with pytest.raises(Failure) as caught:
        load_wiring(bundle)
    return caught.value


def test_a_bundle_without_own_code_has_none(bundle: Path) -> None:
    assert load_wiring(bundle) is NO_CODE


def test_own_code_is_found_where_the_run_started_and_leaves_no_bytecode(bundle: Path) -> None:
    write_module("mine", "def build(width): return width * 2")
    (bundle / "wiring.py").write_text("from mine import build\ndef build_model(): return build(width=3)\n")
    wiring = load_wiring(bundle)
    assert wiring.build_model is not None
    assert wiring.build_model() == 6
    assert wiring.loss is None
    assert [path.name for path in bundle.iterdir()] == ["wiring.py"]
    described = describe_modules(wiring)
    assert set(described) == {"mine"}
    assert described["mine"]["file"] == str(Path.cwd() / "mine.py")
    assert len(described["mine"]["sha256"]) == 64


def test_a_missing_module_is_named_with_where_python_looked(bundle: Path) -> None:
    failure = failure_of(bundle, "from nowhere.model import build\n")
    assert failure.code == WRONG_WORLD
    assert str(failure).startswith("there is no module nowhere")
    assert f"\n  {Path.cwd()}" in str(failure)
    assert "PYTHONPATH" in str(failure)
    assert "pip install -e" in str(failure)


def test_a_module_that_own_code_misses_is_named_with_the_line_that_imports_it(bundle: Path) -> None:
    write_module("mine", "import os\nimport missing_of_mine\n")
    failure = failure_of(bundle, "from mine import build\n")
    assert failure.code == WRONG_WORLD
    assert "no module missing_of_mine" in str(failure)
    assert "mine.py:2" in str(failure)


@pytest.mark.parametrize(
    ("text", "said"),
    [("def other(): ...", "cannot import name 'build'"), ("1 / 0", "ZeroDivisionError"), ("def (", "SyntaxError")],
)
def test_an_error_of_own_code_says_so_and_keeps_its_traceback(
    text: str, said: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_module("mine", text)
    failure = failure_of(bundle, "from mine import build\n")
    assert failure.code == INTERNAL
    assert said in str(failure)
    assert "mine.py" in str(failure)
    assert "Traceback" in capsys.readouterr().err


def test_a_model_has_the_same_first_weights_on_every_rank_whatever_was_drawn_before() -> None:
    torch.rand(3)
    first = own_model(lambda: nn.Linear(3, 2), "mine:build", 7)
    torch.rand(5)
    again = own_model(lambda: nn.Linear(3, 2), "mine:build", 7)
    other = own_model(lambda: nn.Linear(3, 2), "mine:build", 8)
    weight, same, another = (one.get_parameter("weight") for one in (first, again, other))
    assert torch.equal(weight, same)
    assert not torch.equal(weight, another)


@pytest.mark.parametrize(
    ("made", "said"),
    [(None, "gave nothing"), ({}, "a builtins.dict"), (nn.ReLU(), "no parameter that can be trained")],
)
def test_what_is_no_model_is_refused(made: object, said: str) -> None:
    with pytest.raises(Failure, match=said):
        own_model(lambda: made, "mine:build", 7)


def test_a_scalar_loss_is_refused_with_the_reason() -> None:
    with pytest.raises(Failure, match=r"a single number for 4 samples.*one number a sample is due"):
        own_loss(lambda outputs, batch: outputs.mean())(torch.zeros(4, 2), BATCH)
    with pytest.raises(Failure, match=r"shape \[4, 2\]"):
        own_loss(lambda outputs, batch: outputs)(torch.zeros(4, 2), BATCH)
    with pytest.raises(Failure, match=r"a builtins\.float"):
        own_loss(lambda outputs, batch: 1.0)(torch.zeros(4, 2), BATCH)
    found = own_loss(lambda outputs, batch: outputs.sum(1))(torch.ones(4, 2, dtype=torch.bfloat16), BATCH)
    assert found.dtype == torch.float32
    assert found.tolist() == [2.0] * 4


def test_metrics_are_held_to_the_same() -> None:
    judged = own_metrics(lambda outputs, batch: {"good": outputs[:, 0] > 0, "bad": outputs.mean()})
    with pytest.raises(Failure, match="the metric bad gave a single number"):
        judged(torch.ones(4, 2), BATCH)


def test_an_optimizer_takes_every_group_that_it_is_handed() -> None:
    model = nn.Linear(2, 2)
    groups: list[dict[str, Any]] = [
        {"params": [model.weight], "weight_decay": 0.1},
        {"params": [model.bias], "weight_decay": 0.0},
    ]
    made = own_optimizer(lambda given: torch.optim.RMSprop(given, lr=1.0), groups)
    assert [group["weight_decay"] for group in made.param_groups] == [0.1, 0.0]
    with pytest.raises(Failure, match="of 1 parameters, the model has 2"):
        own_optimizer(lambda given: torch.optim.RMSprop(given[:1], lr=1.0), groups)
    with pytest.raises(Failure, match=r"no torch\.optim\.Optimizer"):
        own_optimizer(lambda given: given, groups)


class Noisy:
    """Samples whose content draws random numbers."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": torch.randn(2) + index, "labels": index % 3}


def config_of(**changes: Any) -> Any:
    data: dict[str, Any] = {
        "target": "mine:build",
        "shuffle": True,
        "shuffle_seed": 5,
        "reshuffle_each_epoch": True,
        "max_train_samples": 0,
        "max_eval_samples": 0,
        "num_workers": 0,
        "pin_memory": False,
        "prefetch_factor": 2,
        "persistent_workers": False,
        **changes,
    }
    return SimpleNamespace(
        EXPERIMENT=SimpleNamespace(seed=3),
        DATA=SimpleNamespace(**data),
        BATCH=SimpleNamespace(global_batch_size=8, micro_batch_size=2, gradient_accumulation_steps=2),
        EVALUATION=SimpleNamespace(at_end=True, every_steps=0, micro_batch_size=4, max_batches=0),
    )


def world_of(rank: int) -> Any:
    return SimpleNamespace(rank=rank, size=2)


def feed_of(rank: int = 0, build: Any = lambda split: Noisy(30 if split == "train" else 7), **changes: Any) -> Any:
    return load_user_feed(config_of(**changes), world_of(rank), build)


def seen(batches: Iterator[MicroBatch]) -> list[tuple[list[int], list[float], list[list[float]]]]:
    return [(one.samples, one.weights.tolist(), one.batch["x"].tolist()) for one in batches]


@pytest.mark.covers("data.target", "data.shuffle_seed", "data.shuffle")
def test_own_samples_are_a_pure_function_of_seed_step_and_rank() -> None:
    whole = seen(feed_of().train(range(6)))
    state = torch.get_rng_state()
    assert seen(feed_of().train(range(4, 6))) == whole[8:]  # resumed
    assert torch.equal(torch.get_rng_state(), state)  # what training draws is its own
    assert seen(feed_of(num_workers=2).train(range(6))) == whole
    assert seen(feed_of(shuffle_seed=6).train(range(6))) != whole
    other = seen(feed_of(rank=1).train(range(6)))
    step = [samples for samples, _, _ in (*whole[:2], *other[:2])]
    assert len({sample for samples in step for sample in samples}) == 8
    first, second = (sorted(s for samples, _, _ in whole[i : i + 6] for s in samples) for i in (0, 6))
    assert first != second  # epochs of three steps, in another order
    assert [samples for samples, _, _ in seen(feed_of(shuffle=False).train(range(1)))] == [[0, 1], [4, 5]]


@pytest.mark.covers("data.max_train_samples", "data.max_eval_samples")
def test_held_out_samples_come_once_and_fillers_weigh_nothing() -> None:
    both = [seen(feed_of(rank=rank).evaluation()) for rank in (0, 1)]
    assert [len(one) for one in both] == [1, 1]
    assert [samples for [(samples, _, _)] in both] == [[0, 1, 2, 3], [4, 5, 6, 0]]
    assert [weights for [(_, weights, _)] in both] == [[1, 1, 1, 1], [1, 1, 1, 0]]
    few = feed_of(max_train_samples=16, max_eval_samples=3)
    assert few.held_out == 3
    assert max(sample for samples, _, _ in seen(few.train(range(4))) for sample in samples) < 16
    assert feed_of().fingerprint == feed_of(rank=1).fingerprint
    assert feed_of().fingerprint != feed_of(build=lambda split: Noisy(31)).fingerprint


class WhoReads(Noisy):
    """Samples that say which process read them."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": torch.tensor([os.getpid()]), "labels": 0}


@pytest.mark.covers("data.num_workers", "data.persistent_workers")
@pytest.mark.parametrize("are_kept", [False, True])
def test_workers_of_evaluations_of_own_samples_are_kept_where_the_spec_says_so(are_kept: bool) -> None:
    feed = feed_of(build=lambda split: WhoReads(30), num_workers=2, persistent_workers=are_kept)
    pids = [{int(pid) for one in feed.evaluation() for pid in one.batch["x"]} for _ in range(2)]
    assert len(pids[0]) == 2
    assert pids[0].isdisjoint(pids[1]) is not are_kept
    assert pids[0] == pids[1] or not are_kept


@pytest.mark.parametrize(
    ("build", "code", "said"),
    [
        (lambda split: iter(()), INTERNAL, "__len__ and __getitem__"),
        (lambda split: Noisy(7), NO_INPUT, "gave 7 training samples, and one step takes 8"),
        (
            lambda split: [torch.zeros(2)] * 9,
            INTERNAL,
            "a sample is a dictionary of tensors and numbers",
        ),
        (lambda split: [{"x": "text", "labels": 1}] * 9, INTERNAL, "whose `x` is a list"),
        (lambda split: [{"x": 1.0}] * 9, INTERNAL, "a sample has `labels`"),
        (lambda split: 1 / 0, INTERNAL, "split train: ZeroDivisionError"),
        (lambda split: [{"b": 1}["a"] for _ in range(9)], INTERNAL, "KeyError"),
    ],
)
def test_what_is_no_dataset_is_refused_before_the_first_step(build: Any, code: int, said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        feed_of(build=build)
    assert caught.value.code == code


def test_a_bad_sample_ends_the_run_with_its_number_also_from_a_worker() -> None:
    class Broken(Noisy):
        def __getitem__(self, index: int) -> dict[str, Tensor]:
            if index not in (0, 15, 29):  # which are looked at before the first step
                raise ValueError("unreadable")
            return super().__getitem__(index)

    for workers in (0, 1):
        with pytest.raises(Failure, match=r"making the samples \d+, \d+: ValueError: unreadable"):
            list(feed_of(build=lambda split: Broken(30), num_workers=workers).train(range(3)))
