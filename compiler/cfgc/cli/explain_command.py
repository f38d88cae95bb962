"""``cfgc explain``: a code, or a key of a spec."""

from __future__ import annotations

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from cfgc.cli.report import print_diagnostics
from cfgc.diagnostics.explain import explanation, titles

FAMILIES = (
    "codes are CFG1xx load, 2xx resolve, 3xx schema, 4xx rules, 5xx DeepSpeed, 6xx launch, 7xx bundle: "
    "`cfgc explain CFG4` lists those of a family"
)


def explain_code(code: str) -> int:
    """Print the page of a code, or what there is of its kind; the exit code."""
    page = explanation(code)
    if page is not None:
        click.echo(page, nl=False)
        return EXIT_OK
    family = code[:4]
    near = [f"{known}  {title}" for known, title in titles() if known.startswith(family)]
    if code != family or not near:
        click.echo(f"there is no {code}" + ("; of its kind there are:" if near else f"; {FAMILIES}"), err=True)
    for line in near:
        click.echo(line, err=code != family)
    return EXIT_OK if code == family and near else EXIT_USAGE


def explain_key(spec: str, key: str, overrides: tuple[str, ...]) -> int:
    """Print where a value of the spec comes from; the exit code."""
    from cfgc.diagnostics import Rejected
    from cfgc.explaining.key import explained, suggestions
    from cfgc.session import open_spec

    session = open_spec(spec, overrides)
    try:
        text = explained(session, key)
    except Rejected as rejected:
        print_diagnostics(session.from_here(rejected.diagnostics), "text")
        return EXIT_REJECTED
    if text is None:
        click.echo(suggestions(key), err=True)
        return EXIT_USAGE
    click.echo(text, nl=False)
    return EXIT_OK
