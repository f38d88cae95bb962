"""``cfgc data``: token files are made of a spec's sources, and looked into."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfgc.cli import EXIT_OK, EXIT_REJECTED
from cfgc.cli.complete import complete_override, complete_spec
from cfgc.cli.groups import Commands
from cfgc.cli.report import print_diagnostics, say, summary

if TYPE_CHECKING:
    from cfgc.lower.plan import Data
    from cfgc.schema.data import Source
    from cfgc_runtime.data.pack_directory import PackedSource
    from cfgc_runtime.data.token_file import TokenFile

_SHOWN = 400
"""Tokens of a document that are decoded."""


@click.group(cls=Commands)
def data() -> None:
    """Make token files of a spec's data, and look into them."""


@data.command()
@click.argument("spec", metavar="SPEC", shell_complete=complete_spec)
@click.argument("overrides", nargs=-1, metavar="[OVERRIDE]...", shell_complete=complete_override)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    help="The directory of the token files.",
)
def pack(spec: str, overrides: tuple[str, ...], out: Path) -> int:
    """Tokenise the data sources of SPEC, a token file each.

    Files that are there already and hold the same are kept. Stopped at any moment, the same command goes on from there.
    What to write into the spec in place of the sources is printed at the end.
    """
    from cfgc.diagnostics import Rejected
    from cfgc.lower.plan import Plan
    from cfgc.pipeline import check_spec, lower
    from cfgc.schema.spec import Spec
    from cfgc.session import open_spec

    session = open_spec(spec, overrides)
    try:
        checked = check_spec(session.reader, session.logical, session.overrides)
        said, plan = checked.spec, lower(checked)
    except Rejected as rejected:
        print_diagnostics(session.from_here(rejected.diagnostics), "text")
        say(f"{summary(rejected.diagnostics)}, nothing packed")
        return EXIT_REJECTED
    if not isinstance(said, Spec) or not isinstance(plan, Plan):
        raise click.UsageError(f"{spec} runs a task of its own, and has no data to pack")
    print_diagnostics(session.from_here(checked.warnings), "text")
    return _packed(plan.data, said.data.sources, out)


@data.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("-n", "--documents", type=click.IntRange(0), default=3, show_default=True, help="Documents to show.")
@click.option("--tokenizer", type=click.Path(path_type=Path, exists=True), help="tokenizer.json, or its directory.")
@click.option("--verify", is_flag=True, help="Read the whole file and compare its checksum.")
def show(file: Path, documents: int, tokenizer: Path | None, verify: bool) -> int:
    """Say what is in the token file FILE, and show its first documents.

    Tokens that are not trained on, such as prompts, stand in brackets. Without the tokenizer that they were packed
    with, tokens are shown as numbers.
    """
    with _failing() as outcome:
        token_file = _module("token_file").open_token_file(file)
        if verify:
            token_file.verify()
        click.echo(_header_text(token_file, verify), nl=False)
        for number in range(min(documents, token_file.header.documents)):
            click.echo(_document_text(token_file, number, tokenizer))
    return outcome[-1]


def _packed(lowered: Data, sources: Sequence[Source], out: Path) -> int:
    from cfgc.cli.pack_progress import PackProgress

    done: list[PackedSource] = []
    with _failing() as outcome:
        pack_directory = _module("pack_directory").pack_directory
        with PackProgress() as progress:
            for found in pack_directory(lowered, out, progress.watch):
                done.append(found)
                progress.finish(found.name)
    if done:
        _report(done)
    if outcome[-1] == EXIT_OK and not done:
        say("nothing to pack: every source is a token file already")
    elif outcome[-1] == EXIT_OK:
        click.echo(_snippet(done, sources, lowered.tokenizer.kind), nl=False)
    return outcome[-1]


@contextmanager
def _failing() -> Iterator[list[int]]:
    """The exit code comes last in what this gives; a failure is said in a sentence."""
    from cfgc_runtime.errors import Failure

    outcome = [EXIT_OK]
    try:
        yield outcome
    except Failure as failure:
        say(f"error: {failure}")
        outcome.append(failure.code)


def _module(name: str) -> Any:
    """A module of the runtime that needs numpy."""
    try:
        return importlib.import_module(f"cfgc_runtime.data.{name}")
    except ImportError as error:
        raise click.ClickException(f"token files need the extra `data`: pip install 'cfgc[data]' ({error})") from error


def _report(done: Sequence[PackedSource]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("source", box=SIMPLE_HEAD)
    for title in ("documents", "tokens", "bad", "MB read", "MB written"):
        table.add_column(title, justify="right", no_wrap=True)
    for found in done:
        said, size = found.header, found.path.stat().st_size
        counts = (said.documents, said.tokens, said.bad_records)
        sizes = (said.sources["bytes"] / 1e6, size / 1e6)
        table.add_row(found.name, *(f"{count:,}" for count in counts), *(f"{size:,.1f}" for size in sizes))
    Console(stderr=True).print(table)
    for found in done:
        if found.header.bad_records:
            say(f"bad records of {found.name} are named in {found.log}")
        if not found.seconds:
            say(f"{found.path} was there already, of the same data")


def _snippet(done: Sequence[PackedSource], sources: Sequence[Source], kind: str) -> str:
    """What to write in place of the sources."""
    from cfgc.fixing.toml_values import toml_value

    said = {source.name: source for source in sources}
    lines = ["# In place of the sources that were packed:"]
    for found in done:
        source = said[found.name]
        lines += ["", "[[data.sources]]", f"name = {toml_value(found.name)}", 'kind = "tokens"']
        lines += [f"path = {toml_value(str(found.path))}"]
        lines += [f"weight = {toml_value(source.weight)}"] if source.weight is not None else []
        lines += ['split = "eval"'] if source.split == "eval" else []
    if kind != "bytes":
        lines += ["", "# [data.tokenizer] stays as it is: a run compares its files with those that packed."]
    return "\n".join(lines) + "\n"


def _header_text(file: TokenFile, verified: bool) -> str:
    said = file.header
    tokenizer, sources = said.tokenizer, said.sources
    rows = {
        "tokens": f"{said.tokens:,} (uint{8 * said.width})",
        "documents": f"{said.documents:,}",
        "trained on": "what the mask says" if said.trained else "every token",
        "bad records": f"{said.bad_records:,} left out",
        "tokenizer": "{kind}, {size:,} tokens, end {end}, pad {pad}".format(**tokenizer),
        "": f"sha256 {tokenizer['digest']}",
        "source": f"{sources['name']} ({sources['kind']}): {sources['files']:,} files, {sources['bytes']:,} bytes",
        " ": f"sha256 {sources['sha256']}",
        "encoding": ", ".join(f"{name} = {value!r}" for name, value in said.encoding.items()),
        "content": f"sha256 {said.sha256}{' (verified)' if verified else ''}",
    }
    return "".join(f"{name:<12} {value}\n" for name, value in rows.items())


def _document_text(file: TokenFile, number: int, tokenizer: Path | None) -> str:
    start, stop = int(file.starts[number]), int(file.starts[number + 1])
    shown = min(stop, start + _SHOWN)
    tokens, trained = file.tokens[start:shown].tolist(), file.mask(start, shown).tolist()
    decode = _module("decoding").decoder_of(file.header, tokenizer)
    pieces: list[str] = []
    first = 0
    for at in range(1, len(tokens) + 1):
        if at == len(tokens) or trained[at] != trained[first]:
            piece = decode(tokens[first:at])
            pieces.append(piece if trained[first] else f"[{piece}]")
            first = at
    more = f" … {stop - shown:,} more" if stop > shown else ""
    return f"\ndocument {number}, {stop - start:,} tokens:\n{''.join(pieces)}{more}"
