"""Read releases of DeepSpeed into the committed table, list what changed, hold the table against an installed one."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.deepspeed_table", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="read releases and write them into the table and the list of changes")
    add.add_argument("versions", nargs="+", metavar="VERSION")
    add.add_argument("--from", dest="sources", type=Path, metavar="DIR", help="archives, or what is in them")
    commands.add_parser("changes", help="write the list of changes in docs/deepspeed-releases.md")
    commands.add_parser("prove", help="hold the table against the DeepSpeed that is installed here")
    options = parser.parse_args(argv)
    if options.command == "prove":
        return prove()
    if options.command == "add":
        with tempfile.TemporaryDirectory() as scratch:
            add_releases(options.versions, options.sources, Path(scratch))
    write_changes()
    return 0


def add_releases(versions: list[str], sources: Path | None, scratch: Path) -> None:
    """Read ``versions`` anew and put them in the table with the others."""
    from .extracting import extract
    from .storing import TABLE, dumped, load, merge, order, split

    table = split(load())
    for version in sorted(versions, key=order):
        table[version] = extract(source(version, sources, scratch))
        print(f"{version}: {len(table[version]['keys'])} keys", file=sys.stderr)
    TABLE.write_text(dumped(merge(table)), "utf-8")


def source(version: str, given: Path | None, scratch: Path) -> Path:
    """The directory that holds the package of a release, downloaded when it is not among ``given``."""
    from .modules import unpacked

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


def write_changes() -> None:
    """The list of changes, anew."""
    from .changes import DOCUMENT, document
    from .storing import load

    DOCUMENT.write_text(document(DOCUMENT.read_text("utf-8"), load()), "utf-8")


def prove() -> int:
    """Print every difference between the table and the installed DeepSpeed; 1 when there is one."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "compiler"))
    from cfgc.deepspeed.releases import release

    from .proving.comparing import differences, measure
    from .proving.observing import installed_version, observe

    table = release(installed_version())
    seen = observe(table)
    found = differences(table, seen)
    print("\n".join([*found, f"deepspeed {table.version}: {measure(table, seen)}, {len(found)} differences"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
