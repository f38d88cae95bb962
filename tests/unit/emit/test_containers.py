"""job.sbatch starts every command of the run in the container."""

from __future__ import annotations

import re

import pytest

from cfgc.emit.slurm.job import job_sbatch
from tests.unit.emit.test_every_key_arrives import plan_of


def script_of(kind: str, *overrides: str) -> str:
    image = 'cluster.container.image="/shared/its $image"'
    return job_sbatch(plan_of(f'cluster.container.kind="{kind}"', image, *overrides), "sha256:0")


@pytest.mark.covers("cluster.container.mount_home")
@pytest.mark.parametrize(("said", "word"), [("true", "--container-mount-home"), ("false", "--no-container-mount-home")])
def test_the_home_directory_is_mounted_when_it_is_asked_for(said: str, word: str) -> None:
    assert f" {word} " in script_of("pyxis", f"cluster.container.mount_home={said}")
    assert ("--no-home" in script_of("apptainer", f"cluster.container.mount_home={said}")) == (said == "false")


@pytest.mark.parametrize("kind", ["pyxis", "apptainer"])
def test_the_image_is_one_word(kind: str) -> None:
    assert "'/shared/its $image'" in script_of(kind)


def test_what_the_batch_script_runs_itself_is_one_task_beside_the_others() -> None:
    """The job asks for several tasks a node, and srun takes that over from it."""
    lines = [line for line in script_of("pyxis").splitlines() if re.search(r'\bsrun .*"\$python" -B', line)]
    assert len(lines) >= 3
    options = 'srun --overlap --nodes=1 --ntasks=1 --ntasks-per-node=1 "${container[@]}" "$python"'
    assert [line for line in lines if options not in line] == []


@pytest.mark.parametrize("kind", ["pyxis", "apptainer"])
def test_no_interpreter_starts_outside_of_the_container(kind: str) -> None:
    script = script_of(kind)
    runs = [line for line in script.splitlines() if re.search(r'"\$python" -B "\$(bundle|run_dir)', line)]
    assert len(runs) >= 2
    assert [line for line in runs if '"${container[@]}"' not in line] == []


def test_gpus_are_passed_to_apptainer() -> None:
    assert "--nv" not in script_of("apptainer")
    assert "apptainer exec --nv " in script_of("apptainer", "hardware=a100-80gb", "training.precision=bf16")


@pytest.mark.parametrize("kind", ["pyxis", "apptainer"])
def test_the_directory_of_temporary_files_is_made_on_every_node_and_mounted(kind: str) -> None:
    scratch = 'cluster.scratch={ env = "LOCAL_DISK", path = "of me" }'
    script = script_of(kind, scratch, "launch.nodes=2")
    mounts, made, container = (
        script.index(text)
        for text in (
            '"$state:$state" "$CFGC_TMPDIR:$CFGC_TMPDIR"',
            '\nsrun --overlap --nodes=2 --ntasks=2 --ntasks-per-node=1 mkdir -p -- "$CFGC_TMPDIR" ||\n  fail ',
            "\ncontainer=(",
        )
    )
    assert mounts < made < container
    assert 'for mount in "$PWD" "$bundle" "$state" "$CFGC_TMPDIR"; do' in script
    assert '\nmkdir -p -- "$CFGC_TMPDIR" ||\n  fail ' in script_of(kind, scratch)
    assert "CFGC_TMPDIR" not in script_of(kind)
    assert 'mkdir -p -- "$CFGC_TMPDIR"' not in job_sbatch(plan_of(scratch), "sha256:0")


@pytest.mark.parametrize(
    ("scratch", "mount", "is_held"),
    [
        ('"/local/of me"', '{ source = "/local" }', True),
        ('"/local/of me"', '{ source = { env = "DISK" }, target = "/local" }', True),
        ('{ env = "DISK", path = "x" }', '{ source = { env = "DISK" } }', True),
        ('{ env = "DISK", path = "x" }', '{ source = { env = "DATA" } }', False),
        ('"/localhost"', '{ source = "/local" }', False),
        ('"/local"', '{ source = "/local", target = "/in" }', False),
    ],
)
def test_a_mount_of_the_profile_that_holds_it_is_enough(scratch: str, mount: str, is_held: bool) -> None:
    script = script_of("apptainer", f"cluster.scratch={scratch}", f"cluster.container.mounts=[{mount}]")
    assert ('"$CFGC_TMPDIR:$CFGC_TMPDIR"' in script) != is_held
