"""Shipped bases and overlays hold, alone and in every combination."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check, check_spec
from cfgc.resources import shipped_dir
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.values import NodePath
from tests.unit.schema.samples import checked, said

SPECS = Path(__file__).resolve().parents[3] / "specs"
EVERY = sorted(SPECS.rglob("*.toml"))
BASES, HARDWARE, ZERO, ENV, CLUSTER = (
    sorted(path.stem for path in (SPECS / group).glob("*.toml"))
    for group in ("bases", "hardware", "zero", "env", "cluster")
)
EXAMPLES = sorted({path.stem for path in (SPECS / "examples").glob("*.toml")} - {"pipeline"})
"""Those of one run."""

FREE = {("cluster", "environment")}
"""Tables whose keys are the writer's own."""

ALLOWED = {
    "hardware": {"hardware"},
    "zero": {"deepspeed"},
    "cluster": {"cluster"},
    "env": {"launch", "training", "tracking", "cluster"},
    "bases": {"model", "training", "data", "checkpoint", "tracking", "evaluation"},
}
SPEC = """
[experiment]
name = "combination"
[[data.sources]]
name = "library"
path = {{ stdlib = true }}
[launch]
nodes = {nodes}
gpus_per_node = {ranks}
[overlays]
"""


def test_the_groups_are_those_that_the_documentation_names() -> None:
    assert BASES == ["base", "large", "small", "tiny"]
    assert HARDWARE == ["a100-40gb", "a100-80gb", "cpu", "h100-80gb", "h200-141gb"]
    assert ZERO == ["0", "1", "2", "2-offload", "3", "3-offload"]
    assert ENV == ["dev", "production", "staging"]
    assert CLUSTER == ["apptainer", "aws-efa", "cray-cxi", "plain", "pyxis"]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_file_says_what_it_is_first(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith((".", ","))


@pytest.mark.parametrize(
    "path",
    [path for path in EVERY if path.parent.name in ALLOWED],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_a_shipped_layer_keeps_to_its_subject(path: Path) -> None:
    tables = tomllib.loads(path.read_text())
    assert set(tables) <= ALLOWED[path.parent.name]
    known = schema_fields()
    assert [key for key in leaves(tables) if key not in known and key[:-1] not in FREE] == []


def leaves(table: dict[str, object], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in table.items():
        found += leaves(value, (*above, key)) if isinstance(value, dict) else [(*above, key)]
    return found


@pytest.mark.parametrize(("base", "hardware"), list(product(BASES, HARDWARE)))
def test_every_base_runs_on_every_hardware_with_every_stage(base: str, hardware: str) -> None:
    for zero in ZERO:
        head = f'extends = "cfgc:bases/{base}.toml"\n' + SPEC.format(nodes=1, ranks=4)
        findings = said(head + f'hardware = "{hardware}"\nzero = "{zero}"\n')
        assert {d.code for d in findings if d.severity == "error"} == set(), zero


@pytest.mark.parametrize(("base", "env"), list(product(BASES, ENV)))
def test_every_environment_starts_every_base(base: str, env: str) -> None:
    body = SPEC.replace("[launch]\nnodes = {nodes}\ngpus_per_node = {ranks}\n", "").format()
    head = f'extends = "cfgc:bases/{base}.toml"\n{body}'
    assert said(f'{head}hardware = "h100-80gb"\nenv = "{env}"\n') == ()


EPOCHS = (
    "training.max_epochs=2",
    "data.max_train_samples=20_000",
    "training.max_steps=${training.max_epochs * (data.max_train_samples // training.global_batch_size)}",
)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("training.max_steps=100",),
        ("training.max_steps=7",),
        EPOCHS,
        ("launch.gpus_per_node=4",),
        ("training.micro_batch_size=2",),
        ("training.global_batch_size=96",),
    ],
)
def test_an_example_takes_a_smoke_run_epochs_other_ranks_and_sizes(name: str, overrides: tuple[str, ...]) -> None:
    text = (SPECS / "examples" / f"{name}.toml").read_text()
    reader = MemoryReader({"spec.toml": text}, DiskReader(shipped_dir("specs"), shipped_dir("specs")))
    assert [(warning.code, warning.message) for warning in check_spec(reader, "spec.toml", overrides).warnings] == []


@pytest.mark.parametrize("overrides", [(), ("training.max_steps=100",), ("training.micro_batch_size=2",)])
def test_the_pipeline_takes_them_too(overrides: tuple[str, ...]) -> None:
    text = (SPECS / "examples" / "pipeline.toml").read_text()
    reader = MemoryReader({"spec.toml": text}, DiskReader(shipped_dir("specs"), shipped_dir("specs")))
    assert check(reader, "spec.toml", overrides).warnings == ()


def test_no_number_of_an_example_is_a_rounding_error() -> None:
    for name in EXAMPLES:
        text = (SPECS / "examples" / f"{name}.toml").read_text()
        reader = MemoryReader({"spec.toml": text}, DiskReader(shipped_dir("specs"), shipped_dir("specs")))
        leaves = check_spec(reader, "spec.toml", ()).resolved.leaves.values()
        assert [leaf.value for leaf in leaves if isinstance(leaf.value, float) and len(repr(leaf.value)) > 10] == []


def test_the_quickstart_shows_a_chain_of_three_layers() -> None:
    quickstart = (SPECS / "examples" / "quickstart.toml").read_text()
    leaf = checked(quickstart[quickstart.index("extends") :]).resolved.get("training.micro_batch_size")
    assert leaf
    assert [origin.layer.kind for origin in leaf.origin.chain()] == ["spec", "overlay", "base"]


def test_an_example_for_a_cluster_keeps_its_state_outside_of_the_start_directory() -> None:
    for name in ("4xa100-zero1", "8xa100-zero2", "16xh100-zero3"):
        text = (SPECS / "examples" / f"{name}.toml").read_text()
        run_dir = checked(text[text.index("extends") :]).spec.launch.run_dir
        assert isinstance(run_dir, NodePath)
        assert run_dir.base == "env"
