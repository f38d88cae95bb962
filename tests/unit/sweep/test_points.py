"""Which points a sweep has, in which order, and what each is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cfgc.diagnostics import Rejected
from cfgc.emit.canonical import plan_digest
from cfgc.sweep.settings import toml_of
from tests.unit.sweep.specs import TASK, TRAINING, checked, grid, lines, planned, settings


def refused(text: str, *overrides: str, **files: str) -> list[str]:
    """``CFG650 …`` for each finding."""
    with pytest.raises(Rejected) as rejected:
        checked(text, *overrides, **files)
    return [f"{found.code} {found.message}" for found in rejected.value.diagnostics]


@pytest.mark.covers("sweep.method", "sweep.parameters")
def test_a_grid_varies_the_last_parameter_fastest() -> None:
    found = settings(grid("training.learning_rate = [1e-3, 2e-3]\nzero = ['1', '2']\ntraining.warmup_steps = [0, 5]"))
    assert [tuple(row.values()) for row in found] == [
        ("1e-3", "1", "0"),
        ("1e-3", "1", "5"),
        ("1e-3", "2", "0"),
        ("1e-3", "2", "5"),
        ("2e-3", "1", "0"),
        ("2e-3", "1", "5"),
        ("2e-3", "2", "0"),
        ("2e-3", "2", "5"),
    ]
    assert list(found[0]) == ["training.learning_rate", "zero", "training.warmup_steps"]


def test_zip_takes_the_first_values_together() -> None:
    text = f'{TRAINING}\n[sweep]\nmethod = "zip"\n[sweep.parameters]\n'
    text += 'training.learning_rate = [1e-3, 2e-3]\n"training.warmup_steps" = [3, 4]\n'
    assert [tuple(row.values()) for row in settings(text)] == [("1e-3", "3"), ("2e-3", "4")]


@pytest.mark.covers("sweep.points")
def test_a_list_is_taken_as_it_is_and_points_may_set_different_keys() -> None:
    text = f'{TRAINING}\n[sweep]\nmethod = "list"\npoints = [{{ "training.learning_rate" = 2e-3 }}, '
    text += '{ training.warmup_steps = 7, training.optimizer = { weight_decay = 0.0 }, zero = "2" }]\n'
    assert settings(text) == [
        {"training.learning_rate": "2e-3"},
        {"training.warmup_steps": "7", "training.optimizer.weight_decay": "0.0", "zero": "2"},
    ]
    assert lines(text)[1]["config"]["SCHEDULE.warmup_steps"] == 7


@pytest.mark.covers("sweep.seed", "sweep.max_points")
def test_random_draws_as_many_as_it_is_told_and_the_same_ones_again() -> None:
    text = f'{TRAINING}\n[sweep]\nmethod = "random"\nmax_points = 6\nseed = SEED\n[sweep.parameters]\n'
    text += 'training.learning_rate = { low = 2e-4, high = 1e-2, scale = "log" }\n'
    text += "training.warmup_steps = { low = 0, high = 200, integer = true }\nmodel.hidden_dropout = [0.0, 0.1]\n"
    first, again, other = (settings(text.replace("SEED", seed)) for seed in ("1", "1", "2"))
    assert len(first) == 6
    assert first == again != other
    assert settings(text.replace("seed = SEED", "").replace("= 6", "= 3")) == settings(text.replace("SEED", "0"))[:3]


def test_a_value_may_follow_from_another_parameter() -> None:
    text = grid('training.max_steps = [400, 800]\ntraining.warmup_steps = ["${training.max_steps // 10}", 5]')
    found = lines(text)
    assert [point["config"].get("SCHEDULE.warmup_steps", 40) for point in found] == [40, 5, 80, 5]


@pytest.mark.parametrize("index", range(4))
def test_a_point_is_the_run_that_its_overrides_make(index: int) -> None:
    parameters = 'training.learning_rate = [1e-3, 2e-3]\nzero = ["1", "2"]'
    point = lines(grid(parameters))[index]
    assert point["plan_digest"] == plan_digest(planned(TRAINING, *point["overrides"]))


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    st.floats(2e-4, 1e-2),
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=5), min_size=1, max_size=3, unique=True),
)
def test_every_override_of_a_point_can_be_given_on_the_command_line(rate: float, texts: list[str]) -> None:
    texts = [text.replace("$", "s") for text in texts]
    parameters = f"training.learning_rate = [{rate!r}]\nexperiment.description = {toml_of([*dict.fromkeys(texts)])}"
    found = lines(grid(parameters))
    assert len(found) == len(set(texts))
    assert found[-1]["plan_digest"] == plan_digest(planned(TRAINING, *found[-1]["overrides"]))


def test_finding_of_one_point_names_it_and_of_all_is_said_once() -> None:
    some = "training.gradient_accumulation_steps = [2, 3]\ntraining.micro_batch_size = [4]"
    [found] = refused(grid(some, TRAINING.replace("max_steps = 1000", "max_steps = 1000\nglobal_batch_size = 16")))
    assert found == (
        "CFG401 point 1 (training.gradient_accumulation_steps=3, training.micro_batch_size=4): "
        "the batch sizes cannot all hold"
    )
    assert refused(grid("training.learning_rates = [1, 2]")) == [
        "CFG301 all 2 points: unknown key `training.learning_rates`"
    ]


def test_what_is_wrong_with_several_values_of_a_parameter_is_said_once() -> None:
    odd = ", ".join(str(2 * number + 1) for number in range(12))
    found = refused(grid(f"training.warmup_steps = [0, {odd}]", TRAINING.replace("max_steps = 1000", "max_steps = 10")))
    assert found == ["CFG420 7 points (6-12): warm-up is not over before the run ends"]


def test_overlays_that_are_not_there_are_said_for_their_points() -> None:
    found = refused(grid('zero = ["1", "9"]\ntraining.learning_rate = [1e-3, 2e-3]'))
    assert found == ["CFG114 2 points (2-3): the overlay group `zero` has no option `9`"]


def test_a_spec_with_a_sweep_of_one_base_is_swept() -> None:
    base = grid("training.learning_rate = [1e-3, 2e-3]")
    found = checked('extends = "base.toml"\n[training]\nmax_steps = 500\n', base=base)
    assert len(found.sweep.points) == 2


def test_the_command_line_can_give_a_sweep_other_values() -> None:
    text = grid("training.learning_rate = [1e-3, 2e-3]")
    assert settings(text, "sweep.parameters.training.learning_rate=[5e-4]") == [{"training.learning_rate": "5e-4"}]
    assert checked(text, "~sweep.method", "~sweep.parameters").sweep.points == ()


def test_a_run_that_is_swept_carries_nothing_of_the_sweep() -> None:
    plan = planned(grid("training.learning_rate = [1e-3, 2e-3]"))
    assert plan_digest(plan) == plan_digest(planned(TRAINING, "training.learning_rate=1e-3"))
    assert not [line.path for line in plan.review.provenance if line.path[0] == "sweep"]
    assert {line.comment.split(",")[0] for line in plan.review.provenance if line.path[-1] == "learning_rate"} == {
        "sweep point 0"
    }


def test_a_task_can_be_swept() -> None:
    found = lines(grid('task.args = [["1"], ["2"]]\ntask.env.LR = ["0.1", "0.2"]', TASK))
    assert found[3]["config"] == {
        "PLAN_DIGEST": found[3]["plan_digest"],
        "TASK.args": ["2"],
        "TASK.environment": [["LR", "0.2"]],
    }


def test_other_scripts_are_another_allocation() -> None:
    [found] = refused(grid('task.inline = ["#!/bin/sh\\nexit 1\\n", "#!/bin/sh\\nexit 2\\n"]', TASK))
    assert found.startswith("CFG656")
    assert "task.script" in found


def test_many_points_are_compiled_by_several_processes_to_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = grid(f"task.args = {[[str(number)] for number in range(40)]}", TASK)
    alone = [point.line for point in checked(text).sweep.points]
    monkeypatch.setattr("cfgc.sweep.pool.WORTH_IT", 10)
    assert [point.line for point in checked(text).sweep.points] == alone
