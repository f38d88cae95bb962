"""``python -m tools.mutations``: draw the mutations, judge them, and write the page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import click

from tools.mutations.deepspeed_verdict import deepspeed_says
from tools.mutations.operators import Mutation, draw
from tools.mutations.page import Study, page
from tools.mutations.subjects import Subject, ds_configs, specs
from tools.mutations.verdict import judged, quiet_of

SEEDS, COUNT = (20261121, 4711), 400


def mutations(seed: int, count: int, subjects: Sequence[Subject]) -> list[Mutation]:
    """``count`` mutations of ``subjects``: the same for the same seed and files."""
    random = Random(seed)
    return [draw(random, list(subjects)) for _ in range(count)]


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=SEEDS, show_default=True, help="Give several.")
@click.option("--count", default=COUNT, show_default=True, help="Mutations of specs, and as many of ds_configs.")
@click.option("--configs", type=click.Path(path_type=Path, exists=True), help="A directory of more good ds_configs.")
@click.option("--deepspeed/--no-deepspeed", default=True, help="Ask the installed DeepSpeed too.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the page goes [default: stdout].")
def main(seeds: Sequence[int], count: int, configs: Path | None, deepspeed: bool, out: Path | None) -> None:
    """Spoil good files in one place each, and count what is found."""
    more = sorted(configs.glob("*.json")) if configs else []
    groups = (specs(), ds_configs(more))
    calm = {subject.name: quiet_of(subject) for subjects in groups for subject in subjects}
    studies = [_study(seed, count, groups, calm, deepspeed) for seed in seeds]
    command = " ".join(["python -m tools.mutations", *(f"--seed {seed}" for seed in seeds), f"--count {count}"])
    text = page(studies, {name: codes for name, (_, codes) in calm.items()}, command)
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def _study(
    seed: int,
    count: int,
    groups: Sequence[Sequence[Subject]],
    calm: Mapping[str, tuple[frozenset[str], Sequence[str]]],
    deepspeed: bool,
) -> Study:
    drawn = [mutation for subjects in groups for mutation in mutations(seed, count, subjects)]
    with click.progressbar(drawn, label=f"seed {seed}", file=sys.stderr) as bar:
        verdicts = [judged(mutation, calm[mutation.subject.name][0]) for mutation in bar]
    theirs = {
        number: deepspeed_says(verdict.mutation.subject, verdict.mutation.tree)
        for number, verdict in enumerate(verdicts)
        if deepspeed and verdict.mutation.subject.kind == "ds_config"
    }
    return Study(seed, verdicts, theirs)


if __name__ == "__main__":
    main()
