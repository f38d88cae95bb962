"""What ``cfgc check --fix`` checks again and again while it fixes: specs and ds_configs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli.checking import cluster_of, findings_of, told_apart
from cfgc.cli.fixing import Subject

if TYPE_CHECKING:
    from cfgc.cli.checking import Wanted
    from cfgc.cli.ds_configs import Cluster
    from cfgc.diagnostics import Diagnostic
    from cfgc.fixing.mend import Texts
    from cfgc.session import Session


def spec_subjects(arguments: Sequence[str]) -> Iterator[Subject]:
    """The specs among ``arguments``, each with their overrides."""
    if not arguments:
        return
    from cfgc.session import open_spec

    paths, overrides = told_apart(arguments)
    for path in paths:
        yield _spec(open_spec(path, overrides))


def _spec(session: Session) -> Subject:
    from cfgc.load.reader import MemoryReader

    return Subject(session.root, lambda texts: findings_of(session, MemoryReader(texts, session.reader)))


def config_subjects(paths: Sequence[str], wanted: Wanted) -> Iterator[Subject]:
    """The ds_configs at ``paths``."""
    for path in paths:
        if path == "-":
            raise click.UsageError("--fix and --diff need a file: standard input cannot be changed")
        yield _config(Path(path), cluster_of(path, wanted))


def _config(path: Path, cluster: Cluster) -> Subject:
    from cfgc.deepspeed.checking import check_ds_config
    from cfgc.deepspeed.releases import release
    from cfgc.load.raw import read_bounded

    def check(texts: Texts) -> tuple[Diagnostic, ...]:
        try:
            data = texts[path.name].encode() if path.name in texts else read_bounded(path)
        except (OSError, ValueError):
            return ()  # the check that follows says why
        return check_ds_config(path.name, data, release(cluster.deepspeed), cluster.world_size, cluster.device)

    return Subject(path.parent, check)
