"""A task on one rank, without a launcher: what it is told, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.attempt import shell_code
from cfgc_runtime.errors import INTERNAL, NO_INPUT, WRONG_WORLD, Failure
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.signals import STOP_SIGNALS
from cfgc_runtime.task import run_task
from cfgc_runtime.world import World
from tests.runtime.bundles import WAIT_S

ALONE = World(rank=0, size=1, local_rank=0, local_size=1, node_rank=0)


class Quiet:
    """A pulse that nobody listens to."""

    def enter(self, phase: str) -> None:
        self.phase = phase


def bundle_of(folder: Path, task: str) -> Path:
    spec = f'[overlays]\nhardware = "cpu"\n[experiment]\nname = "t"\nseed = 11\n[task]\n{task}'
    reader = MemoryReader({"spec.toml": spec}, DiskReader(folder, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml"), folder / "bundle")
    return folder / "bundle"


def start(folder: Path, task: str, *, stopped: bool = False) -> int:
    """The process id of a child that runs the task in ``folder``."""
    bundle = bundle_of(folder, task)
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        os.chdir(folder)
        sys.dont_write_bytecode = True
        stop: Any = SimpleNamespace(requested=stopped)
        code = run_task(bundle, RunDirectory(folder / "run"), ALONE, stop, sys.stdout, Quiet())  # type: ignore[arg-type]
    except Failure as failure:
        code = failure.code
        (folder / "refused").write_text(str(failure))
    finally:
        os._exit(code)


def end_of(pid: int) -> int:
    return shell_code(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if file.exists() and file.read_text().endswith("\n"):
            return file.read_text()
        time.sleep(0.01)
    raise AssertionError(f"{file} did not appear")


@pytest.mark.covers("task.inline", "task.kind")
def test_an_inline_script_is_told_what_it_needs(tmp_path: Path) -> None:
    inline = '#!/bin/bash\necho "$CFGC_SEED $CFGC_DETERMINISTIC $CFGC_CHECKPOINT_DIR $*" > said\nexit 7\n'
    task = f'kind = "script"\ninline = """\n{inline}"""\nargs = ["a b", "c"]\n'
    assert end_of(start(tmp_path, task)) == 7
    assert (tmp_path / "said").read_text() == f"11 1 {tmp_path / 'run' / 'checkpoints'} a b c\n"


def test_a_python_script_runs_in_the_interpreter_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys\nopen('said', 'w').write(f'{sys.executable} {sys.argv[1:]}\\n')\n")
    assert end_of(start(tmp_path, 'script = "train.py"\nargs = ["--lr=1"]\n')) == 0
    assert (tmp_path / "said").read_text() == f"{sys.executable} ['--lr=1']\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return None", 0), ("return 0", 0), ("return 4", 4), ("return 255", 255), ("raise SystemExit(5)", 5),
        ("raise SystemExit('no')", 1), ("raise SystemExit(2.5)", 1), ("raise SystemExit", 0), ("1 / 0", 1),
        ("raise SystemExit(True)", 1),
        ("import numpy; return numpy.int64(7)", 7), ("import numpy; return numpy.int64(0)", 0),
    ],
)  # fmt: skip
def test_a_function_ends_as_a_program_would(body: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"def main():\n    {body}\n")
    assert end_of(start(tmp_path, 'target = "mine:main"\n')) == code


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 256", "the task returned 256, but exit codes go from 0 to 255"),
        ("return 300", "returned 300,"),
        ("return -1", "returned -1,"),
        ("raise SystemExit(512)", "returned 512,"),
        ("import numpy; return numpy.int64(256)", "returned 256,"),
        ("return 'done'", "returned 'done' (str), which is no exit code"),
        ("return True", "returned True (bool), which is no exit code"),
        ("import numpy; return numpy.array(0)", "(ndarray), which is no exit code"),
        ("import torch; return torch.tensor(0)", "returned tensor(0) (Tensor), which is no exit code"),
    ],
)
def test_what_is_no_exit_code_does_not_count_as_finished(body: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"def main():\n    {body}\n")
    assert end_of(start(tmp_path, 'target = "mine:main"\n')) == INTERNAL
    assert said in (tmp_path / "refused").read_text()


def test_a_task_that_does_not_know_the_signal_is_ended_by_it(tmp_path: Path) -> None:
    text = "import time\ndef main():\n    open('said', 'w').write('up\\n')\n    time.sleep(60)\n"
    (tmp_path / "sleepy.py").write_text(textwrap.dedent(text))
    pid = start(tmp_path, 'target = "sleepy:main"\n')
    wait_for(tmp_path / "said")
    os.kill(pid, signal.SIGUSR2)
    assert end_of(pid) == 128 + signal.SIGUSR2


def test_a_request_to_stop_that_came_first_leaves_nothing_to_do(tmp_path: Path) -> None:
    assert end_of(start(tmp_path, 'inline = "echo ran > said"\n', stopped=True)) == 75
    assert not (tmp_path / "said").exists()


@pytest.mark.covers("task.uses_deepspeed")
def test_deepspeed_is_wanted_only_where_the_task_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cfgc_runtime.releases

    monkeypatch.setattr(cfgc_runtime.releases, "installed_releases", lambda: {"torch": "2.13.0"})
    without = start(tmp_path, 'inline = "exit 3"\n')
    assert end_of(without) == 3
    bundle = bundle_of(tmp_path, 'inline = "exit 3"\nuses_deepspeed = true\n')
    stop: Any = SimpleNamespace(requested=False)
    with pytest.raises(Failure, match=r"no deepspeed: .*deepspeed==0\.19\.8") as caught:
        run_task(bundle, RunDirectory(tmp_path / "run"), ALONE, stop, sys.stdout, Quiet())  # type: ignore[arg-type]
    assert caught.value.code == WRONG_WORLD


def test_a_start_directory_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    monkeypatch.chdir(tmp_path)
    bundle = bundle_of(tmp_path, 'inline = "true"\nworking_directory = "nowhere"\n')
    stop: Any = SimpleNamespace(requested=False)
    with pytest.raises(Failure, match=r"cannot start in .*nowhere: No such file") as caught:
        run_task(bundle, RunDirectory(tmp_path / "run"), ALONE, stop, sys.stdout, Quiet())  # type: ignore[arg-type]
    assert caught.value.code == NO_INPUT
    assert {number: signal.getsignal(number) for number in STOP_SIGNALS} == before
