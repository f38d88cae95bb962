"""What the templates and the runtime use of torch and Slurm is listed, with the release that it came with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cfgc.deepspeed.of_spec_optimizer import optimizer_section
from cfgc.emit.scripts import launch_sh
from cfgc.emit.slurm import surroundings
from cfgc.emit.slurm.job import job_sbatch
from cfgc.launching import slurm, torch
from cfgc.launching.used import Used, order
from cfgc.lower.slurm import slurm as directives_of
from cfgc.schema.experiment import Target
from cfgc.schema.spec import Spec
from cfgc.validate.checker import check_resolved
from tests.unit.lower.planning import plan_of
from tests.unit.rules.building import SMALL, merged, resolved_of

CUDA = {"hardware": {"device": "cuda", "architecture": "ampere"}}
CLUSTER = {
    **dict.fromkeys(("partition", "account", "qos", "reservation", "constraint", "exclude"), "a"),
    "mail_user": "somebody",
    "mail_type": ["END"],
    "exclusive": True,
}
TABLES = {
    "torchrun": torch.TORCHRUN,
    "flight recorder": torch.RECORDER,
    "functions": torch.FUNCTIONS,
    "optimizer": torch.OPTIMIZER,
    "directives": slurm.DIRECTIVES,
    "srun": slurm.SRUN,
    "commands": slurm.COMMANDS,
    "variables": slurm.VARIABLES,
}


def names(table: Iterable[Used]) -> set[str]:
    """What the table lists."""
    return {used.name for used in table}


@pytest.fixture
def templates(repository: Path) -> str:
    return "\n".join(path.read_text() for path in sorted((repository / "templates").rglob("*.j2")))


@pytest.fixture
def runtime(repository: Path) -> list[Path]:
    return sorted((repository / "runtime").rglob("*.py"))


def test_every_option_of_torchrun_is_listed(templates: str) -> None:
    commands = re.findall(r"-m torch\.distributed\.run(.*?)(?:\{%|runtime\" rank)", templates, re.S)
    rendezvous = ["--standalone", "--master-addr", "--master-port", "--shutdown-timeout"]  # scripts.py adds these
    used = {flag for command in commands for flag in re.findall(r"(?<![\w-])--[a-z-]+", command)}
    assert used | set(rendezvous) == names(torch.TORCHRUN)
    plan = plan_of()
    assert all(flag in launch_sh(plan) + job_sbatch(plan, "0") for flag in names(torch.TORCHRUN))


def test_every_option_of_srun_is_listed(templates: str) -> None:
    (command,) = re.findall(r"\n *exec srun (.*?) bash -c", templates, re.S)
    assert set(re.findall(r"--[a-z-]+", command + helper_of("22.05"))) == names(slurm.SRUN)
    assert slurm.OVERLAP.name not in helper_of("20.02")


def helper_of(release: str) -> str:
    """How the batch script starts a command of its own in a container of pyxis."""
    plan = plan_of()
    container = replace(plan.slurm.container, kind="pyxis")
    plan = replace(plan, target=replace(plan.target, slurm=release), slurm=replace(plan.slurm, container=container))
    return str(surroundings.values(plan)["here"])


def test_every_variable_of_the_flight_recorder_is_listed(runtime: list[Path]) -> None:
    text = "\n".join(path.read_text() for path in runtime) + " ".join(plan_of(CUDA).launch.environment)
    assert set(re.findall(r"\bTORCH_NCCL_[A-Z_]+", text)) == names(torch.RECORDER)


def test_every_variable_and_command_of_slurm_is_listed(templates: str, runtime: list[Path]) -> None:
    text = templates + "\n".join(path.read_text() for path in runtime)
    assert set(re.findall(r"\b(?:SLURMD?|SRUN)_[A-Z_]+", text)) == names(slurm.VARIABLES)
    assert {f"scontrol {words}" for words in re.findall(r"scontrol (show \w+|\w+)", text)} == names(slurm.COMMANDS)


def test_every_directive_is_listed() -> None:
    used: set[str] = set()
    for gres in ("", "gpu"):
        for requeue in (True, False):
            tree = merged(SMALL, CUDA, {"cluster": {**CLUSTER, "gres": gres, "requeue": requeue}})
            used |= {name for name, _ in directives_of(check_resolved(resolved_of(tree)).spec).directives}
    assert used == names(slurm.DIRECTIVES)


def test_everything_that_the_runtime_takes_from_torch_is_listed(runtime: list[Path]) -> None:
    used = {name for path in runtime for name in _of_torch(ast.parse(path.read_text()))}
    assert used == names(torch.FUNCTIONS)


def _of_torch(tree: ast.Module) -> Iterator[str]:
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            name = ast.unparse(node)
            if re.fullmatch(r"(torch|nn|F|distributed)(\.\w+)+", name):
                yield name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("torch"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_argument_of_an_optimizer_is_listed() -> None:
    used: set[str] = set()
    for kind in ("adamw", "adam", "sgd"):
        spec = check_resolved(resolved_of(merged(SMALL, {"training": {"optimizer": {"type": kind}}}))).spec
        assert isinstance(spec, Spec)
        section = optimizer_section(spec)["optimizer"]
        assert isinstance(section, dict)
        parameters = section["params"]
        assert isinstance(parameters, dict)
        used |= set(parameters)
    assert used - {"torch_adam", "adam_w_mode"} == names(torch.OPTIMIZER)  # those two are DeepSpeed's own


@pytest.mark.parametrize("name", TABLES)
def test_what_is_used_is_in_every_target_or_has_a_rule(name: str) -> None:
    releases = torch.TORCH_RELEASES if name in ("torchrun", "functions", "optimizer") else slurm.SLURM_RELEASES
    with_a_rule = {"--shutdown-timeout", "gpus-per-node"}
    newer = {used.name for used in TABLES[name] if used.is_newer_than(releases[0]) and not used.without}
    assert newer <= with_a_rule


def test_releases_are_in_order_and_the_defaults_among_them() -> None:
    for releases in (torch.TORCH_RELEASES, slurm.SLURM_RELEASES):
        assert sorted(releases, key=lambda release: [int(part) for part in release.split(".")]) == list(releases)
    assert Target().torch in torch.TORCH_RELEASES
    assert Target().slurm in slurm.SLURM_RELEASES
    assert order("2.10.1") > order("2.9")


@pytest.mark.covers("target.torch")
def test_torchrun_is_told_the_grace_where_it_can_be() -> None:
    told = plan_of({"launch": {"shutdown_grace": "2min"}})
    fixed = plan_of({"target": {"torch": "2.11.0"}, "launch": {"shutdown_grace": "30s"}})
    for script in (launch_sh, lambda plan: job_sbatch(plan, "0")):
        assert "--max-restarts=0 --shutdown-timeout=120 " in script(told)
        assert "--max-restarts=0 " in script(fixed)
        assert "--shutdown-timeout" not in script(fixed)
