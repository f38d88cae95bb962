"""A real Slurm on this machine, for tests: what starts it, what asks it, and what breaks it.

The scripts in ``site/`` start it, as root and without systemd; the same can be done by hand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE: Final = Path(__file__).resolve().parent / "site"
WAIT_S: Final = 240
POLL_S: Final = 0.2
_CANNOT: Final = 77
_OVER: Final = frozenset(
    (
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED"),
        *("NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT"),
    )
)
_FIELD: Final = re.compile(r"(?:^| )([A-Za-z][A-Za-z0-9:/_]*)=(.*?)(?= [A-Za-z][A-Za-z0-9:/_]*=|$)")


class CannotHaveSlurm(Exception):  # noqa: N818 - a reason to skip
    """This machine refuses what a cluster needs; the message says what."""


@dataclass(frozen=True)
class Job:
    """A job as ``scontrol show job`` tells it. ``code`` is its exit code, 128 + N when signal N ended it."""

    id: str
    state: str
    reason: str
    code: int
    restarts: int
    nodes: str
    fields: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether it will not run again by itself."""
        return self.state in _OVER


@dataclass(frozen=True)
class Cluster:
    """A running cluster; all that it has is below ``directory``. ``nodes`` are n1, n2, …"""

    directory: Path
    nodes: tuple[str, ...]

    @classmethod
    def start(cls, directory: Path, nodes: int = 4, **knobs: int | str) -> Cluster:
        """Start one. ``knobs`` are variables of ``site/up``. Raises ``CannotHaveSlurm`` with a reason."""
        settings = {"NODES": str(nodes)} | {name.upper(): str(value) for name, value in knobs.items()}
        done = subprocess.run(
            [SITE / "up", directory], env=os.environ | settings, capture_output=True, text=True, check=False
        )
        if done.returncode == _CANNOT:
            raise CannotHaveSlurm(done.stderr.strip().removeprefix("slurm: "))
        assert done.returncode == 0, done.stderr
        return cls(directory, tuple(f"n{number + 1}" for number in range(nodes)))

    def stop(self) -> None:
        """End its jobs, daemons and namespaces."""
        subprocess.run([SITE / "down", self.directory], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """What somebody on its login node has: Slurm's commands in PATH, the tests' interpreter, no secrets."""
        path = f"{self.directory / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": path, "SLURM_CONF": str(self.directory / "slurm.conf"), "PYTHON": sys.executable}

    def run(
        self, *command: str | Path, cwd: Path | None = None, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as a user of the cluster; fails the test when it fails, unless ``check`` is False."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd or self.directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        assert done.returncode == 0 or not check, (command, done.returncode, done.stdout, done.stderr)
        return done

    def on(self, node: str, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``command`` on ``node``: its host name, its network, its processes' ports."""
        return self.run(self.inside(node), "-n", node, *command, check=check)

    def inside(self, node: str) -> Path:
        """The command that runs another one on ``node`` (``inside -n NODE COMMAND…``)."""
        assert node in (*self.nodes, "ctl"), node
        return self.directory / "bin" / "inside"

    def submit(self, script: Path, *options: str, cwd: Path | None = None, **environment: str) -> str:
        """``sbatch`` a script, or a bundle's job.sbatch, from ``cwd`` (beside the script or bundle); the job's id."""
        path = script / "job.sbatch" if script.is_dir() else script
        done = self.run("sbatch", "--parsable", *options, path, cwd=cwd or script.parent, check=True, **environment)
        return done.stdout.strip().split(";")[0]

    def job(self, job: str) -> Job:
        """How ``job`` stands. An array's task is ``ID_INDEX``."""
        line = self.run("scontrol", "show", "job", "-o", job).stdout.splitlines()[0]
        fields = {found[1]: found[2] for found in _FIELD.finditer(line)}
        status, signal = fields["ExitCode"].split(":")
        return Job(
            id=fields["JobId"],
            state=fields["JobState"],
            reason=fields["Reason"],
            code=128 + int(signal) if int(signal) else int(status),
            restarts=int(fields["Restarts"]),
            nodes=fields["NodeList"],
            fields=fields,
        )

    def wait(self, job: str, *states: str, seconds: float = WAIT_S) -> Job:
        """Until ``job`` is over, or in one of ``states`` when some are named. ``sbatch --wait`` looks too seldom."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.job(job)
            if found.state in states or (not states and found.is_over):
                return found
            assert not found.is_over, f"waited for {states}: {found.fields}"
            time.sleep(POLL_S)
        raise AssertionError(f"{job} took more than {seconds} s: {self.job(job).fields}")

    def queue(self) -> tuple[str, ...]:
        """Ids of the jobs that are not over."""
        listed = self.run("squeue", "--noheader", "--all", "--format=%A").stdout.split()
        return tuple(sorted(set(listed), key=int))

    def completed(self, job: str) -> list[dict[str, str]]:
        """``sacct --completion`` lines of ``job``: one for each time that it left the queue or was requeued."""
        names = ("JobID", "JobName", "State", "NodeList", "Partition")
        done = self.run("sacct", "-c", "-n", "-P", "-j", job, f"--format={','.join(names)}")
        return [dict(zip(names, line.split("|"), strict=True)) for line in done.stdout.splitlines()]

    def cancel(self, *options: str) -> None:
        """``scancel`` with ``options``: ids, ``--signal=USR2``, ``--batch``."""
        self.run("scancel", *options)

    def cut(self, node: str) -> None:
        """Pull the network cable of ``node``."""
        self._link(node, "down")

    def restore(self, node: str) -> None:
        """Plug it in again."""
        self._link(node, "up")

    def _link(self, node: str, state: str) -> None:
        self.on(node, "ip", "link", "set", "eth0", state)

    def tidy(self) -> None:
        """As it was when it started: no jobs, every cable plugged in, every node idle."""
        for node in self.nodes:
            self.restore(node)
        if left := self.queue():
            self.cancel(*left)
        deadline = time.monotonic() + WAIT_S
        while self._nodes_that_rest() < len(self.nodes):
            assert time.monotonic() < deadline, self.run("sinfo", "-N", "-l").stdout
            for node in self.run("sinfo", "-h", "-N", "-p", "main", "-t", "down", "-o", "%N").stdout.split():
                self.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)  # Slurm takes minutes
            time.sleep(POLL_S)

    def _nodes_that_rest(self) -> int:
        return len(self.run("sinfo", "-h", "-N", "-p", "main", "-t", "idle", "-o", "%N").stdout.split())
