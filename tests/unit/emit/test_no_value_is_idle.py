"""What config.py holds is read by the runtime, or stands there for the people who read the bundle."""

from __future__ import annotations

import ast
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from cfgc.emit.config_py import CONSTANTS
from cfgc.lower import plan

FOR_READERS = {
    "Target.slurm": "checked by job.sbatch's own commands",
    "Topology.hardware": "the device's name",
    "Topology.data_parallel": "equal to world_size while nothing else is parallel",
    "Topology.tensor_parallel": "1 while refused by name",
    "Topology.pipeline_parallel": "1 while refused by name",
    "Topology.sequence_parallel": "1 while refused by name",
    "Schedule.total_tokens": "steps × tokens, for people",
    "Checkpoint.elastic": "the guard reads it in values.json",
    "Launch.python": "the scripts start it",
    "Launch.master_port": "the scripts pass it to torchrun",
    "Launch.threads_per_rank": "the scripts export it",
    "Launch.time_limit_s": "job.sbatch asks Slurm for it",
    "Launch.signal_lead_s": "job.sbatch asks Slurm for it",
    "Launch.restart": "decides what launch.sh does after a failure",
    "Launch.shutdown_grace_s": "the scripts pass it to torchrun",
}


def read_attributes(runtime: Path) -> set[str]:
    """Names of all attributes that the runtime's code reads, without the declarations in config.py."""
    files = [file for file in runtime.rglob("*.py") if file.name != "config.py"]
    return {
        node.attr for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)
    }


def classes_in(hint: Any) -> list[type]:
    found = [hint] if isinstance(hint, type) and is_dataclass(hint) else []
    return found + [one for argument in get_args(hint) for one in classes_in(argument)]


def declared() -> set[str]:
    """``Class.field`` of everything that config.py holds."""
    hints, todo, seen = get_type_hints(plan.Plan), [], set()
    for name in CONSTANTS:
        todo += classes_in(hints[name])
    fields = set()
    while todo:
        cls = todo.pop()
        if cls not in seen:
            seen.add(cls)
            for name, hint in get_type_hints(cls).items():
                fields.add(f"{cls.__name__}.{name}")
                todo += classes_in(hint)
    return fields


def test_every_value_is_read_or_says_why_not(repository: Path) -> None:
    read = read_attributes(repository / "runtime" / "cfgc_runtime")
    idle = {one for one in declared() if one.partition(".")[2] not in read}
    assert sorted(idle) == sorted(FOR_READERS)
