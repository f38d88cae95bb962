"""``python -m tools.deepspeed_table add 0.19.9``: read a release and write it into the committed table."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from .extracting import extract
from .modules import unpacked
from .storing import TABLE, dumped, load, merge, order, split


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.deepspeed_table", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="read releases and write them into the table")
    add.add_argument("versions", nargs="+", metavar="VERSION")
    add.add_argument(
        "--from",
        dest="sources",
        type=Path,
        metavar="DIR",
        help="archives, or what is in them",
    )
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        add_releases(options.versions, options.sources, Path(scratch))
    return 0


def add_releases(versions: list[str], sources: Path | None, scratch: Path) -> None:
    """Read ``versions`` anew and put them in the table with the others."""
    table = split(load())
    for version in sorted(versions, key=order):
        table[version] = extract(source(version, sources, scratch))
        print(f"{version}: {len(table[version]['keys'])} keys", file=sys.stderr)
    TABLE.write_text(dumped(merge(table)), "utf-8")


def source(version: str, given: Path | None, scratch: Path) -> Path:
    """The directory that holds the package of a release, downloaded when it is not among ``given``."""
    name = f"deepspeed-{version}"
    if given is not None and (given / name / "deepspeed").is_dir():
        return given / name
    directory = given or scratch
    if not (directory / f"{name}.tar.gz").exists():
        download(version, scratch)
        directory = scratch
    return unpacked(directory / f"{name}.tar.gz", scratch)


def download(version: str, into: Path) -> None:
    """The published source of a release, without building it: only its archive is needed."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", "--no-build-isolation"]
    subprocess.run([*command, "--dest", str(into), f"deepspeed=={version}"], check=True)


if __name__ == "__main__":
    sys.exit(main())
