"""Whatever a file holds, an import ends in a spec whose keys and values are right, or in a diagnostic."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Rejected
from cfgc.importing.conversions import _PRECISIONS
from cfgc.importing.hydra.table import HYDRA
from cfgc.importing.importer import Outcome, Request, import_file
from cfgc.importing.tree import LARGEST, DiskTree
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from cfgc.schema.renamed import RENAMED
from tests.unit.importing.memory_tree import MemoryTree

WORDS = [
    "auto",
    "cpu",
    "nvme",
    "none",
    "linear",
    "AdamW",
    "Lamb",
    "WarmupCosineLR",
    "${a}",
    "\ud800",
    "\x00",
    "a\nb",
    "é",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([*WORDS, *sorted(_PRECISIONS), "sk-" + "a1" * 15])
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
DS_KEYS = [
    *sorted(".".join(path) for path in release("0.19.8").keys),
    *("optimizer.params.lr", "scheduler.params.T_max"),
]
TREE_KEYS = sorted({*HYDRA, *RENAMED})


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` as tables; a key that is in the way of another one gives way."""
    tree: dict[str, Any] = {}
    for dotted, value in flat.items():
        *above, key = dotted.split(".")
        node = tree
        for part in above:
            inner = node.get(part)
            node[part] = inner if isinstance(inner, dict) else {}
            node = node[part]
        node[key] = value
    return tree


def refusals(outcome: Outcome) -> list[str]:
    """Codes of the load, resolve and schema phases that the imported spec is refused with."""
    reader = MemoryReader({"spec.toml": outcome.text}, DiskReader(Path(__file__).parent, shipped_dir("specs")))
    try:
        plan_spec(reader, "spec.toml")
    except Rejected as rejected:
        return [f.code for f in rejected.diagnostics if f.code.startswith(("CFG1", "CFG2", "CFG3", "CFG45", "CFG46"))]
    return []


@given(flat=st.dictionaries(st.sampled_from(DS_KEYS), VALUES, max_size=8), ranks=st.none() | st.integers(1, 100))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_ds_config_becomes_a_spec_of_right_keys(flat: dict[str, Any], ranks: int | None) -> None:
    text = json.dumps(nested(flat))
    try:
        outcome = import_file(MemoryTree({"x.json": text}), Request("x.json", world_size=ranks))
    except Rejected:
        return
    assert refusals(outcome) == []


@given(flat=st.dictionaries(st.sampled_from(TREE_KEYS), VALUES, max_size=8), kind=st.sampled_from(["hydra", "ava"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_tree_becomes_a_spec_of_right_keys(flat: dict[str, Any], kind: str) -> None:
    text = yaml.safe_dump(nested(flat))
    try:
        outcome = import_file(MemoryTree({"x.yaml": text}), Request("x.yaml", kind))
    except Rejected:
        return
    assert refusals(outcome) == []


ACCELERATE = ["deepspeed_config", "num_processes", "num_machines", "mixed_precision", "main_process_port", "use_cpu"]
INLINE = [
    "zero_stage",
    "gradient_accumulation_steps",
    "gradient_clipping",
    "offload_param_device",
    "zero3_save_16bit_model",
]


@given(top=st.dictionaries(st.sampled_from(ACCELERATE), VALUES), inner=st.dictionaries(st.sampled_from(INLINE), VALUES))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_accelerate_file_becomes_a_spec_of_right_keys(top: dict[str, Any], inner: dict[str, Any]) -> None:
    text = yaml.safe_dump({**top, "deepspeed_config": inner})
    try:
        outcome = import_file(MemoryTree({"x.yaml": text}), Request("x.yaml", "accelerate"))
    except Rejected:
        return
    assert refusals(outcome) == []


@given(data=st.binary(max_size=200) | st.text("{}[]:,-&*!#'\"\\ \n\tab01?|>%@`", max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_end_in_a_spec_or_a_diagnostic(data: bytes) -> None:
    for name in ("x.yaml", "x.json"):
        for kind in ("", "hydra"):
            with suppress(Rejected):
                import_file(MemoryTree({name: data}), Request(name, kind))


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 5000,
        "a: " + "{b: " * 5000,
        "- " * 5000,
        "\n".join(f"{' ' * i}k:" for i in range(500)),
        "a: &a [*a, *a]",
        "a: &a {b: *a}",
        "<<: [1]",
        "<<: {a: 1}\n<<: {b: 1}",
        "? [1, 2]\n: 3",
        "a: !!binary aGk=",
        "a: !!set {x, y}",
        "a: b\n---\nc: d",
        "a: " + "9" * 100_000,
        "%TAG ! tag:x\n---\na: !foo 1",
        "{" * 100,
    ],
)
def test_hostile_yaml_is_refused_or_read(text: str) -> None:
    with suppress(Rejected):
        assert import_file(MemoryTree({"x.yaml": text}), Request("x.yaml", "hydra")).text


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\n" * LARGEST)
    with pytest.raises(Rejected, match="CFG140"):
        import_file(DiskTree(tmp_path), Request("x.yaml"))


@pytest.mark.parametrize(
    "wanted", ["../secret.json", "/etc/hostname", "link.json", "loop.json", "sub/../../secret.json"]
)
def test_nothing_outside_of_the_tree_is_read(wanted: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tmp_path / "secret.json").write_text('{"train_batch_size": 7}')
    (tree / "link.json").symlink_to(tmp_path / "secret.json")
    (tree / "loop.json").symlink_to(tree / "loop.json")
    (tree / "a.yaml").write_text(f"deepspeed_config: {{deepspeed_config_file: {wanted}}}\nnum_processes: 1\n")
    with pytest.raises(Rejected, match="CFG140"):
        import_file(DiskTree(tree), Request("a.yaml"))


def test_secrets_are_not_copied() -> None:
    key = "sk-" + "abc123" * 6
    files = {
        "x.json": json.dumps(
            {"train_batch_size": 8, "wandb": {"enabled": True, "project": key}, "comet": {"api_key": "q9Zx"}}
        ),
        "x.yaml": f"trainer: {{devices: 1}}\nexp_manager: {{name: {key}, wandb_api_key: q9Zx, token: q9Zx}}\n",
    }
    for name in files:
        text = import_file(MemoryTree(files), Request(name)).text
        assert key not in text
        assert "q9Zx" not in text
