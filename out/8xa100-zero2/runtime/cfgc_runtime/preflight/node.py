"""Everything that can be looked at on one node without torch. Standard library only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cfgc_runtime.config import is_task, load_config
from cfgc_runtime.errors import FINISHED
from cfgc_runtime.forward_only import forward_only
from cfgc_runtime.manifest import verify_bundle
from cfgc_runtime.point import read_ds_config
from cfgc_runtime.preflight import extras, limits, space, surroundings
from cfgc_runtime.rundir import RUN_DIR_VARIABLE, RunDirectory, expand

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.config import Config
    from cfgc_runtime.preflight.finding import Finding


def check_node(bundle: Path, config: Config, run: RunDirectory, *, first: bool = True) -> list[Finding]:
    """What is wrong here for this run, the gravest first; nothing is changed.

    What a whole run is told once is said by its ``first`` node.
    """
    may_dump_much = first and _takes_much_memory(config)
    return [
        *surroundings.packages(config.TARGET),
        *surroundings.gpus(config.TOPOLOGY),
        *surroundings.variables(config.LAUNCH),
        *space.run_directory_is_writable(run.root),
        *(extras.paths(config.TASK) if is_task(config) else _for_training(bundle, config, run)),
        *limits.cores_to_bind_to(config.LAUNCH, config.TOPOLOGY),
        *(limits.core_files(config.LAUNCH) if may_dump_much else ()),
    ]


def _takes_much_memory(config: Config) -> bool:
    """Whether a rank of the run is larger than a file that nobody minds, as far as that is known."""
    if config.TOPOLOGY.device == "cuda":
        return True
    return not is_task(config) and config.CHECKPOINT.bytes_each > limits.CORE_AT_MOST


def _for_training(bundle: Path, config: Config, run: RunDirectory) -> list[Finding]:
    planned = read_ds_config(bundle)
    ds_config = forward_only(planned) if config.WORK == "evaluate" else planned
    topology, data = config.TOPOLOGY, config.DATA
    return [
        *extras.libraries(config),
        *surroundings.compiler(ds_config, config.COMPILE),
        *extras.files(config),
        *surroundings.data_is_here(data),
        *space.swap_directory_is_writable(ds_config),
        *(
            space.room_for_checkpoints(run.root, run.checkpoints, config.CHECKPOINT, config.SCHEDULE)
            if config.WORK == "train"
            else ()
        ),
        *space.room_for_workers(topology, config.BATCH, data),
        *limits.open_files(data),
        *limits.locked_memory(topology, ds_config),
    ]


def show_checks(bundle: Path, directory: Path | None) -> int:
    """Look at this node, print what was found, and return the exit code that starting the run would have here."""
    manifest = verify_bundle(bundle)
    config = load_config(bundle / "config.py")
    root = expand(config.LAUNCH.run_dir) if directory is None else directory.absolute()
    os.environ[RUN_DIR_VARIABLE] = str(root)
    findings = check_node(bundle, config, RunDirectory(root))
    for found in findings:
        print(f"{found.level}: {found.sentence}")
    errors = [found.code for found in findings if found.level == "error"]
    if not errors:
        print(f"{manifest.experiment}: this node has what the plan needs; the run would be in {root}")
    return errors[0] if errors else FINISHED
