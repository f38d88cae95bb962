"""Scripts of a bundle, started with stand-ins for what they call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from cfgc.emit.bundle import emit_bundle
from cfgc.lower.plan import Plan
from cfgc.write.writer import write_bundle
from tests.unit.emit.samples import cluster_plan

FAKE_PYTHON = """#!/bin/bash
{ printf '%s\\n' CALL "$@"; printf 'V%s=%s\\n' 1 "${V1-unset}" 4 "${V4-unset}"; } >>"$RECORD"
case " $* " in
  *" stage "*) while [[ $1 != --run-dir ]]; do shift; done && mkdir -p "$2" ;;
  *" outcome "*) echo "${@: -1}" ;;
  *" node "*)
    [[ -z ${SLOW-} ]] || exec "$REAL_PYTHON" -c "$SUPERVISOR"
    exit "${CODE-0}" ;;
esac
"""
SUPERVISOR = """
import os, signal, sys, time
def say(word):
    with open(os.environ["RECORD"], "a") as record:
        record.write(word + "\\n")
def save(*_):
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    say("saved")
    sys.exit(75)
say("started")
time.sleep(float(os.environ["SLOW"]))  # not listening yet
signal.signal(signal.SIGUSR2, save)
time.sleep(10)
"""


class Launcher:
    """launch.sh of a plan, with a stand-in for Python that records its arguments."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.bundle = directory / "it's a bundle"
        write_bundle(emit_bundle(plan), self.bundle)
        self.python = directory / "my python"
        self.python.write_text(FAKE_PYTHON)
        self.python.chmod(0o755)
        self.record = directory / "record"
        self.cwd = directory / "start here"
        self.cwd.mkdir()

    def start(self, *arguments: str, script: str = "launch.sh", **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.python), "RECORD": str(self.record), **variables}
        environment |= {"REAL_PYTHON": sys.executable, "SUPERVISOR": SUPERVISOR}
        # A shell cannot trap what was ignored when it began, as SIGINT is for what a shell starts in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            ["bash", self.bundle / script, *arguments],
            cwd=self.cwd,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        process = self.start(*arguments, **variables)
        output, errors = process.communicate(timeout=30)
        return process.returncode, output + errors

    def calls(self) -> list[list[str]]:
        return [call.splitlines() for call in self.record.read_text().split("CALL\n")[1:]]


def srun_plan() -> Plan:
    """A plan whose ranks are tasks of srun, eight a node."""
    plan = cluster_plan()
    return replace(
        plan,
        launch=replace(plan.launch, launcher="srun"),
        slurm=replace(plan.slurm, tasks_per_node=8, cpus_per_task=8, memory_mib=65_536),
    )
