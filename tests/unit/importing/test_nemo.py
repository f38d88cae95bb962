"""What a NeMo tree says of schedules, trackers and data has the spec's own words where a spec has them."""

from __future__ import annotations

import pytest

from cfgc.importing.importer import Request, import_file
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from tests.unit.importing.memory_tree import MemoryTree

TREE = "trainer: {{max_steps: 100, devices: 1}}\nmodel: {{optim: {{sched: {sched}}}}}\nexp_manager: {manager}\n{more}"


def spec_of(sched: str = "{}", manager: str = "{}", more: str = "") -> str:
    text = TREE.format(sched=sched, manager=manager, more=more)
    return import_file(MemoryTree({"x.yaml": text}), Request("x.yaml", "hydra")).text


def plan_of(text: str) -> Plan:
    shipped = shipped_dir("specs")
    plan = plan_spec(MemoryReader({"spec.toml": text}, DiskReader(shipped, shipped)), "spec.toml")
    assert isinstance(plan, Plan)
    return plan


def test_a_polynomial_keeps_its_power() -> None:
    schedule = plan_of(spec_of("{name: PolynomialDecayAnnealing, power: 2.0, min_lr: 1.0e-5}")).schedule
    assert (schedule.scheduler, schedule.power, schedule.final_learning_rate) == ("polynomial", 2.0, 1e-5)
    assert plan_of(spec_of("{name: PolynomialDecayAnnealing}")).schedule.power == 1.0
    assert plan_of(spec_of("{name: CosineAnnealing, power: 2.0}")).schedule.power == 1.0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("StepLR", 'StepLR is `type = "step"` with `step_size` or `milestones`; this holds the rate'),
        ("wsd", 'wsd is `type = "wsd"` with `decay_steps`; this holds the rate'),
        ("OneCycleLR", "the runtime does not have OneCycleLR; this holds the rate"),
    ],
)
def test_a_schedule_that_is_not_converted_says_why(name: str, said: str) -> None:
    text = spec_of(f"{{name: {name}}}")
    assert said in " ".join(text.replace("\n# ", "\n").split())
    assert plan_of(text).schedule.scheduler == "constant"


def test_trackers_report_where_they_did() -> None:
    settings = "wandb_logger_kwargs: {project: p, name: n}, mlflow_logger_kwargs: {experiment_name: e}"
    on = "create_tensorboard_logger: true, create_wandb_logger: true, create_mlflow_logger: true"
    plan = plan_of(spec_of(manager=f"{{{on}, {settings}}}"))
    told = plan.tracking
    assert (told.tensorboard, told.wandb.enabled, told.wandb.project, told.wandb.name) == (True, True, "p", "n")
    assert (told.mlflow.enabled, told.mlflow.experiment) == (True, "e")
    assert plan.launch.required == ("WANDB_API_KEY",)
    quiet = plan_of(spec_of(manager=f"{{create_wandb_logger: false, {settings}}}"))
    assert (quiet.tracking.wandb.enabled, quiet.tracking.mlflow.enabled) == (False, False)
    assert quiet.launch.required == ()


def test_sources_say_what_they_are_read_as() -> None:
    text = spec_of(more="data: {data_path: [a/b.jsonl, c/d.txt]}\n")
    assert "read as jsonl and text; see `kind` and data.tokenizer" in text


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('"scheduler": {"type": "StepLR", "params": {"step_size": 9}}', 'a spec has StepLR as `type = "step"` with'),
        ('"scheduler": {"type": "OneCycle", "params": {}}', "the runtime does not have the scheduler OneCycle; this"),
        ('"optimizer": {"type": "Lamb", "params": {}}', "the file's optimizer is Lamb, which the runtime has without"),
    ],
)
def test_a_ds_config_says_the_same(section: str, said: str) -> None:
    files = {"x.json": f'{{"train_micro_batch_size_per_gpu": 1, {section}}}'}
    text = import_file(MemoryTree(files), Request("x.json", "deepspeed", deepspeed="0.19.8")).text
    assert said in " ".join(text.replace("\n# ", "\n").split())
    plan_of(text)
