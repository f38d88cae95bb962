"""``cfgc report``: bundles as one page for a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfgc.cli import EXIT_BAD_BUNDLE, EXIT_OK, EXIT_REJECTED
from cfgc.cli.report import print_diagnostics, say, summary
from cfgc.cli.writing import write_whole, writing

if TYPE_CHECKING:
    from cfgc.audit.report.gathering import Others, Report


@click.command()
@click.argument("place", type=click.Path(path_type=Path, readable=False), metavar="BUNDLE|TREE")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, readable=False),
    default=Path("report.html"),
    show_default=True,
    help="The page.",
)
@click.option(
    "--against",
    metavar="SIDE",
    help="Show what differs from a bundle, a spec, a tree of bundles, or any of them in a revision (REV:PATH).",
)
def report(place: Path, out: Path, against: str | None) -> int:
    """Write a page about a bundle, or about every bundle below a directory.

    It shows the plan, each value with what every layer said of it, the learning rate and the memory, and with --against
    what differs. The page is one file, which needs no network, and no script for reading.

    Exit code 65: a bundle is not as compiled. The page is written and says so.
    """
    from cfgc.audit.report.gathering import report_on
    from cfgc.audit.report.page import page_html
    from cfgc.cli.refusing import refusal_code
    from cfgc.cli.sweep_progress import watched
    from cfgc.diagnostics import Rejected
    from cfgc.write.existing import misplaced

    try:
        if refused := misplaced(Path(os.path.realpath(out))):
            raise Rejected(refused)
        with watched("bundles") as progress:
            made = report_on(place, _others(against), progress)
    except Rejected as rejected:
        print_diagnostics(rejected.diagnostics, "text")
        say(f"{summary(rejected.diagnostics)}, nothing written")
        return refusal_code(rejected.diagnostics)
    _write(page_html(made.page), out)
    return _told(made, out)


def _others(against: str | None) -> Others:
    """What ``against`` names: a side or a tree, as ``cfgc diff`` takes them."""
    from cfgc.audit.report.gathering import Others
    from cfgc.cli.sides import Named, open_side, tree_of
    from cfgc.diagnostics import Rejected

    if against is None:
        return Others()
    tree = tree_of(Named(against))
    if tree and tree.refused:
        raise Rejected(finding for findings in tree.refused.values() for finding in findings)
    return Others(against, tree=tree.bundles) if tree else Others(against, one=open_side(Named(against)))


def _write(text: str, out: Path) -> None:
    """All of it or nothing; directories on the way are made."""
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text.encode())


def _told(made: Report, out: Path) -> int:
    print_diagnostics(made.findings, "text")
    page = made.page
    shown = sum(not sheet.above for sheet in page.sheets)
    say(f"wrote {out}: {shown} {'bundle' if shown == 1 else 'bundles'}, {out.stat().st_size / 1000:,.0f} kB")
    if made.damaged:
        say("not all bundles are what was compiled; the page says which")
        return EXIT_BAD_BUNDLE
    return EXIT_REJECTED if made.findings else EXIT_OK
