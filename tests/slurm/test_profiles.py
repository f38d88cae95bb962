"""Cluster profiles: sbatch takes what they ask for, and ranks get what they name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cfgc.resources import shipped_dir
from tests.slurm.bundles import task_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.slurm.cluster import Cluster

PROFILES = sorted(path.stem for path in (shipped_dir("specs") / "cluster").glob("*.toml"))
RUNNER = """#!/bin/bash
# As far as mounts go what apptainer does: the words before the image, in a mount namespace of its own.
set -eu
[[ $1 == exec ]] && shift
binds=()
while [[ $1 == -* ]]; do
  case $1 in
    --bind) binds+=("$2") && shift 2 ;;
    --pwd) cd -- "$2" && shift 2 ;;
    --nv | --no-home) shift ;;
    *) echo "no such option: $1" >&2 && exit 64 ;;
  esac
done
[[ -f $1 ]] || { echo "no such image: $1" >&2 && exit 66; }
export IN_IMAGE=$1
shift
exec unshare --mount bash -c '
  while [[ $1 != -- ]]; do
    IFS=: read -r source target mode <<<"$1"
    [[ -e $source ]] || { echo "no such mount source: $source" >&2 && exit 255; }
    mkdir -p -- "$target" && mount --bind "$source" "$target"
    [[ ${mode:-rw} == rw ]] || mount -o remount,bind,ro "$target"
    shift
  done
  shift
  exec "$@"
' runner "${binds[@]}" -- "$@"
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_sbatch_takes_what_a_profile_asks_for(profile: str, slurm: Cluster, tmp_path: Path) -> None:
    bundle = task_bundle(
        tmp_path, "true", f"cluster={profile}", "hardware=a100-80gb", *image(tmp_path, profile), nodes=2, ranks=2
    )
    done = slurm.run("sbatch", "--test-only", bundle / "job.sbatch", check=False)
    assert (done.returncode, "to start at" in done.stderr) == (0, True), done.stderr


@pytest.mark.covers(
    "cluster.environment",
    "cluster.limits.core",
    "cluster.limits.stack",
    "cluster.limits.memlock",
    "cluster.network_interface",
    "cluster.offline",
    "cluster.scratch",
)
def test_ranks_on_every_node_get_what_the_profile_names(slurm: Cluster, tmp_path: Path) -> None:
    script = f"""
{{
  ulimit -S -c && ulimit -S -s && [[ $(ulimit -S -l) == "$(ulimit -H -l)" ]] && echo "all that the site permits"
  printenv TMPDIR GLOO_SOCKET_IFNAME NCCL_SOCKET_IFNAME HF_HUB_OFFLINE NCCL_NET
  [[ -d $TMPDIR ]]
}} >"{tmp_path}/rank-$RANK"
"""
    bundle = task_bundle(
        tmp_path,
        script,
        'cluster.environment={ NCCL_NET = "AWS Libfabric" }',
        "cluster.network_interface=eth0",
        "cluster.offline=true",
        'cluster.scratch={ env = "SITE_SCRATCH", path = "of me" }',
        'cluster.limits.memlock="unlimited"',
        'cluster.limits.stack="unlimited"',
        'cluster.limits.core="none"',
        nodes=2,
    )
    job = slurm.wait(slurm.submit(bundle, SITE_SCRATCH=str(tmp_path / "scratch")))
    assert job.state == "COMPLETED", next(tmp_path.glob("slurm-*")).read_text()
    expected = [
        "0",
        "unlimited",
        "all that the site permits",
        f"{tmp_path}/scratch/of me",
        "eth0",
        "=eth0",
        "1",
        "AWS Libfabric",
    ]
    for rank in range(2):
        assert (tmp_path / f"rank-{rank}").read_text().splitlines() == expected


@pytest.mark.covers(
    "cluster.container.kind",
    "cluster.container.image",
    "cluster.container.mounts",
    "cluster.container.mounts.source",
    "cluster.container.mounts.target",
    "cluster.container.mounts.read_only",
)
def test_every_rank_runs_in_the_container(slurm: Cluster, tmp_path: Path) -> None:
    """The runner here is a stand-in for apptainer, which is not packaged; its words and mounts are real."""
    runner = tmp_path / "bin" / "apptainer"
    runner.parent.mkdir()
    runner.write_text(RUNNER)
    runner.chmod(0o755)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("of the node\n")
    script = f"""
printenv IN_IMAGE >"{tmp_path}/rank-$RANK"
cat "{tmp_path}/in/one.txt" >>"{tmp_path}/rank-$RANK"
! touch "{tmp_path}/in/two.txt"
findmnt --noheadings --output=TARGET --target="$TMPDIR" >>"{tmp_path}/rank-$RANK"
"""
    mount = f'{{ source = "{tmp_path}/data", target = "{tmp_path}/in", read_only = true }}'
    bundle = task_bundle(
        tmp_path,
        script,
        *image(tmp_path, "apptainer"),
        f"cluster.container.mounts=[{mount}]",
        'cluster.scratch={ env = "SITE_SCRATCH", path = "of me" }',
        "cluster=apptainer",
        nodes=2,
    )
    path = f"{runner.parent}{os.pathsep}{slurm.environment['PATH']}"
    job = slurm.wait(slurm.submit(bundle, PATH=path, SITE_SCRATCH=str(tmp_path / "scratch")))
    assert job.state == "COMPLETED", next(tmp_path.glob("slurm-*")).read_text()
    for rank in range(2):
        expected = f"{tmp_path}/it's one.sif\nof the node\n{tmp_path}/scratch/of me\n"
        assert (tmp_path / f"rank-{rank}").read_text() == expected
    assert not (tmp_path / "data" / "two.txt").exists()


def image(directory: Path, profile: str) -> tuple[str, ...]:
    """An image for the profiles that want one; its name needs quotes in a shell."""
    if profile not in ("apptainer", "pyxis"):
        return ()
    file = directory / "it's one.sif"
    file.touch()
    return (f'cluster.container.image="{file}"',)
