"""Of the scripts that cfgc itself writes there is nothing to say."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from cfgc.diagnostics.text import render_text
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.sbatch.linting import lint_script
from tests.golden.test_golden import CASES, compile_case
from tests.test_examples import EXAMPLES, build

SHIPPED = shipped_dir("specs")
PROFILES = sorted(path.stem for path in (SHIPPED / "cluster").glob("*.toml"))
IMAGES = {"pyxis": "nvcr.io#nvidia/pytorch:25.06-py3", "apptainer": "/images/train.sif"}
SPEC = """
[overlays]
hardware = "a100-80gb"

[experiment]
name = "linted"

[task]
kind = "script"
inline = "#!/bin/bash\\ntrue"
"""


def is_script(path: PurePosixPath) -> bool:
    return path.suffix in {".sh", ".sbatch"}


def said_of(bundle: Bundle) -> str:
    scripts = {str(path): data for path, data in bundle.files.items() if is_script(path)}
    assert any(name.endswith("job.sbatch") for name in scripts)
    return "".join(render_text(lint_script(name, data)) for name, data in scripts.items())


@pytest.mark.parametrize("name", CASES)
def test_golden_bundles(name: str) -> None:
    assert said_of(compile_case(name)) == ""


@pytest.mark.parametrize("spec", EXAMPLES, ids=lambda path: path.stem)
def test_shipped_examples(spec: Path) -> None:
    assert said_of(build(spec)) == ""


@pytest.mark.parametrize("launcher", ["torchrun", "srun"])
@pytest.mark.parametrize("profile", PROFILES)
def test_shipped_profiles_under_both_launchers(profile: str, launcher: str, tmp_path: Path) -> None:
    image = [f"cluster.container.image={IMAGES[profile]}"] if profile in IMAGES else []
    overrides = [f"cluster={profile}", f"launch.launcher={launcher}", "launch.nodes=2", *image]
    assert said_of(compiled(tmp_path, *overrides)) == ""


@pytest.mark.parametrize(
    "overrides",
    [
        ("launch.signal_lead=2min",),
        ("cluster.requeue=false", "launch.max_attempts=1"),
        ("cluster.chain=true", "cluster.requeue=false"),
        ("env.required=['HF_TOKEN']",),
    ],
)
def test_ways_to_come_back(overrides: tuple[str, ...], tmp_path: Path) -> None:
    assert said_of(compiled(tmp_path, *overrides)) == ""


def compiled(directory: Path, *overrides: str) -> Bundle:
    reader = MemoryReader({"spec.toml": SPEC}, DiskReader(directory, SHIPPED))
    return compile_spec(reader, "spec.toml", overrides)
