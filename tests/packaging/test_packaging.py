"""The built wheel and sdist hold all that the command line needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build_wheel(source: Path, target: Path) -> Path:
    """An unpacked wheel of ``source``, importable from the returned directory."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target / "dist", cwd=source)
    (wheel,) = (target / "dist").glob("*.whl")
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target / "site", wheel, cwd=target)
    return target / "site"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist of this checkout."""
    target = tmp_path_factory.mktemp("sdist")
    repository = Path(__file__).resolve().parents[2]
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", target, cwd=repository)
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        tar.extractall(target)
    (unpacked,) = (path for path in target.iterdir() if path.is_dir())
    return unpacked


def test_a_wheel_made_from_the_sdist_builds_a_shipped_example(sdist: Path, tmp_path: Path) -> None:
    site = build_wheel(sdist, tmp_path)
    work = tmp_path / "elsewhere"
    work.mkdir()
    program = "from cfgc.cli import run; import sys; sys.exit(run(sys.argv[1:]))"
    run(
        sys.executable, "-P", "-c", program, "build", "cfgc:examples/quickstart.toml", "-o", "bundle",
        cwd=work, PYTHONPATH=str(site),
    )  # fmt: skip
    assert (work / "bundle" / "runtime" / "cfgc_runtime" / "train.py").is_file()
    assert (work / "bundle" / "job.sbatch").is_file()


def test_the_wheel_equals_the_checkout(sdist: Path, tmp_path: Path, repository: Path) -> None:
    """Both give the same bundle bytes for the same shipped spec."""
    site = build_wheel(sdist, tmp_path)
    program = "from cfgc.cli import run; import sys; sys.exit(run(sys.argv[1:]))"
    checkout = os.pathsep.join((str(repository / "compiler"), str(repository / "runtime")))
    for name, path in (("wheel", str(site)), ("checkout", checkout)):
        command = (sys.executable, "-P", "-c", program, "build", "cfgc:examples/quickstart.toml", "-o", name)
        run(*command, cwd=tmp_path, PYTHONPATH=path)
    trees = [
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("wheel", "checkout")
    ]
    assert trees[0] == trees[1]


def test_an_editable_install_finds_templates_and_specs(tmp_path: Path, repository: Path) -> None:
    """The command itself, from another directory, in an environment of its own that borrows only the dependencies."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    borrowed = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    python = tmp_path / "venv" / "bin" / "python"
    install = ("-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-build-isolation", "-e", repository)
    run(sys.executable, *install, cwd=tmp_path, PYTHONPATH=borrowed)
    command = tmp_path / "venv" / "bin" / "cfgc"
    run(command, "build", "cfgc:examples/quickstart.toml", "-o", "bundle", cwd=tmp_path, PYTHONPATH=borrowed)
    assert (tmp_path / "bundle" / "launch.sh").is_file()
