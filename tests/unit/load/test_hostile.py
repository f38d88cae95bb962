"""Inputs that nobody means well with: each ends in a diagnostic, soon, in bounded memory.

Real processes with limits on memory and processor time, so that an endless loop or a flood ends the process and not the
machine. The limits are wide: they tell seconds from hours, and megabytes from gigabytes.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cfgc.cli import run
from tests.unit.schema.samples import GOOD

MEMORY = 1 << 30
SECONDS = 30


def cfgc(place: Path, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    root = Path(__file__).resolve().parents[3]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "compiler"), str(root / "runtime")))}
    return subprocess.run(
        [sys.executable, "-c", "from cfgc.cli import main; main()", *arguments],
        cwd=place,
        capture_output=True,
        check=False,
        preexec_fn=limit,
        env=env,
    )


def codes(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    assert done.returncode == 1, done.stderr.decode(errors="replace")[-2000:]
    return [finding["code"] for finding in json.loads(done.stdout)]


def lines(line: str, count: int) -> str:
    return "".join(line.replace("N", str(number)) + "\n" for number in range(count))


VARIABLES = GOOD + "[env.variables]\n"
RAW = GOOD + "[deepspeed.raw]\nreason = 'measured'\n"


def laughs() -> str:
    return (
        VARIABLES + 'X0 = "ha"\n' + "".join(f'X{n + 1} = "' + f"${{env.variables.X{n}}}" * 10 + '"\n' for n in range(9))
    )


def one_of(key: str, value: str) -> str:
    return GOOD + f"[training.scheduler]\nfinal_learning_rate = 0.0\n[tracking]\n{key} = {value}\n"


TEXTS: dict[str, tuple[str | bytes, str]] = {
    "latin-1": (GOOD.encode() + b"# caf\xe9\n", "CFG103"),
    "utf-16": (GOOD.encode("utf-16"), "CFG103"),
    "byte order mark": ("\ufeff" + GOOD, "CFG103"),
    "null character": (GOOD + "\0", "CFG104"),
    "half a surrogate": (one_of("log_level", '"\\ud800"'), "CFG104"),
    "old line ends": (GOOD.replace("\n", "\r"), "CFG104"),
    "raw control character": (GOOD.replace('"good"', '"go\x1bod"'), "CFG104"),
    "escaped control character": (one_of("log_level", '"\\u001b[31m"'), "CFG307"),
    "control character in a name": (GOOD.replace('"good"', '"go\\u0000od"'), "CFG312"),
    "control character in a key": (one_of('"lo\\u001b[31mg"', "1"), "CFG301"),
    "letters of another alphabet": (GOOD.replace("[training]", '["tr\u0430ining"]'), "CFG301"),
    "letters of another alphabet, bare": (GOOD.replace("[training]", "[tr\u0430ining]"), "CFG104"),
    "invisible character in a key": (GOOD.replace("max_steps =", '"max_steps\u200b" ='), "CFG301"),
    "space that is none": (GOOD.replace("max_steps =", "max_steps\u00a0="), "CFG104"),
    "typographic quotes": (GOOD.replace('"good"', "“good”"), "CFG104"),
    "not a number": (one_of("log_every_steps", "nan"), "CFG107"),
    "infinity": (one_of("log_every_steps", "-inf"), "CFG107"),
    "float that overflows": (one_of("log_every_steps", "1e999"), "CFG107"),
    "65 bits": (one_of("log_every_steps", str(2**64)), "CFG107"),
    "thousands of digits": (one_of("log_every_steps", "9" * 5_000), "CFG107"),
    "thousands of hex digits": (one_of("log_every_steps", "0x" + "f" * 100_000), "CFG107"),
    "nested arrays": ("a = " + "[" * 10_000 + "]" * 10_000, "CFG106"),
    "nested inline tables": ("a = " + "{a=" * 3_000 + "1" + "}" * 3_000, "CFG106"),
    "nested dotted key": (".".join("a" * 10_000) + " = 1", "CFG106"),
    "nested header": ("[" + ".".join("a" * 10_000) + "]\nb = 1", "CFG106"),
    "deep append": ("[append]\n" + ".".join("a" * 10_000) + " = [1]", "CFG106"),
    "more nesting than is counted": ("a = " + "[" * 100_000, "CFG128"),
    "nested parentheses": (one_of("log_every_steps", f'"${{{"(" * 400}1{")" * 400}}}"'), "CFG204"),
    "many signs": (one_of("log_every_steps", f'"${{{"-" * 900}1}}"'), "CFG204"),
    "tower of powers": (one_of("log_every_steps", f'"${{{" ** ".join("9" * 40)}}}"'), "CFG209"),
    "products": (one_of("log_every_steps", f'"${{{" * ".join(["999999"] * 40)}}}"'), "CFG209"),
    "text repeated by an expression": (one_of("log_level", "\"${'a' * 999999999}\""), "CFG204"),
    "expression of many characters": (one_of("log_level", f'"${{{" + 1" * 5_000}}}"'), "CFG204"),
    "a billion laughs": (laughs(), "CFG209"),
    "lists of lists of lists": (
        RAW
        + "x0 = [1]\n"
        + "".join(f'x{n + 1} = ["${{deepspeed.raw.x{n}}}", "${{deepspeed.raw.x{n}}}"]\n' for n in range(60)),
        "CFG209",
    ),
    "megabytes of interpolated text": (
        "[a]\nx = '" + "y" * 60_000 + "'\n" + lines("zN = '${a.x}.'", 1_000),
        "CFG209",
    ),
    "a circle of references": (
        VARIABLES + "".join(f'X{n} = "${{env.variables.X{(n + 1) % 1_500}}}"\n' for n in range(1_500)),
        "CFG206",
    ),
    "references to nothing": (VARIABLES + lines('XN = "${b.yN}"', 1_500), "CFG205"),
    "holes without end": (VARIABLES + 'A = "' + "${" * 100_000 + '"', "CFG204"),
    "too many expressions": ("[a]\nx = 1\ny = '" + "${a.x}" * 2_500 + "'", "CFG128"),
    "unknown keys": (lines("kN = 1", 4_000), "CFG301"),
    "unknown keys of a section": ("[training]\n" + lines("learning_rateN = 1", 2_000), "CFG301"),
    "unknown tables": (lines("[tN]\nx = 1", 2_000), "CFG301"),
    "millions of keys": (lines("kN = 1", 20_000), "CFG128"),
    "lines without end": ("\n" * 200_000, "CFG128"),
    "one long line": ('a = "' + "x" * 200_000 + '" junk', "CFG104"),
    "a long key": ("[training]\n" + "x" * 200_000 + " = 1", "CFG128"),
    "a long value": (GOOD.replace('"good"', '"' + "x" * 200_000 + '"'), "CFG312"),
    "a long path": ('extends = "' + "x/" * 100_000 + 'a.toml"', "CFG109"),
    "quotes without end": ('a = """' + '"' * 200_000, "CFG104"),
    "a key twice, far apart": (lines("kN = 1", 5_000) + "k1 = 2", "CFG105"),
    "thousands of bases": ("extends = [" + '"a.toml",' * 5_000 + "]", "CFG128"),
    "thousands of overlays": ("[overlays]\n" + lines('gN = "a"', 5_000), "CFG128"),
    "thousands of unsets": ("unset = [" + '"a.b",' * 5_000 + "]", "CFG128"),
    "nothing": ("", "CFG317"),
}


GREEDY = (
    "a billion laughs",
    "megabytes of interpolated text",
    "tower of powers",
    "lists of lists of lists",
    "a long key",
)
"""Those that would take memory or time without end: each in a process of its own."""


def write(place: Path, name: str) -> str:
    """The spec ``name`` in ``place``; the code of its finding."""
    text, code = TEXTS[name]
    (place / "spec.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return code


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_a_finding(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = write(tmp_path, name)
    assert run(["check", str(tmp_path / "spec.toml"), "--format", "json"]) == 1
    assert code in {finding["code"] for finding in json.loads(capsys.readouterr().out)}
    assert run(["check", str(tmp_path / "spec.toml")]) == 1
    shown = capsys.readouterr().err
    assert len(shown) < 200_000
    assert all(character.isprintable() or character == "\n" for character in shown)


@pytest.mark.parametrize("name", GREEDY)
def test_it_takes_little_memory_and_time(name: str, tmp_path: Path) -> None:
    code = write(tmp_path, name)
    assert code in codes(cfgc(tmp_path, "check", "spec.toml", "--format", "json"))


@pytest.mark.parametrize("name", ["cfgc.toml", "base.toml", "env/mine.toml"])
def test_the_same_holds_for_every_file_of_a_project(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'extends = "base.toml"\n[overlays]\nenv = "mine"\n' + GOOD
    for text_of in ("k = " + "[" * 10_000, lines("kN = 1", 20_000), "\ufeff"):
        for file, content in {"spec.toml": text, "cfgc.toml": "", "base.toml": "", "env/mine.toml": ""}.items():
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text_of if file == name else content)
        assert run(["check", str(tmp_path / "spec.toml"), "--format", "json"]) == 1
        found = {finding["code"] for finding in json.loads(capsys.readouterr().out)}
        assert found & {"CFG106", "CFG128", "CFG103"}


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "spec.toml").open("wb") as file:
        file.truncate(100 << 20)
    assert codes(cfgc(tmp_path, "check", "spec.toml", "--format", "json")) == ["CFG128"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as open_socket:
            open_socket.bind(path.name)
    finally:
        os.chdir(here)


ODD: dict[str, Callable[[Path], None]] = {
    "a directory": lambda path: path.mkdir(),
    "a pipe": fifo,
    "a socket": listening,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a file of a file": lambda path: path.symlink_to("/proc/self/mem"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_file_is_not_read(name: str, tmp_path: Path) -> None:
    ODD[name](tmp_path / "spec.toml")
    found = codes(cfgc(tmp_path, "check", "spec.toml", "--format", "json"))
    assert {"CFG101", "CFG102", "CFG317"} & set(found)
    (tmp_path / "child.toml").write_text('extends = "spec.toml"\n' + GOOD)
    assert run(["check", str(tmp_path / "child.toml")]) in {0, 1}


@pytest.mark.parametrize("name", ODD)
def test_a_project_whose_file_is_none_is_none(name: str, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(GOOD)
    ODD[name](tmp_path / "cfgc.toml")
    assert run(["check", str(tmp_path / "spec.toml")]) in {0, 1}


def test_loops_of_links_among_directories_end(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "again").symlink_to(tmp_path / "specs")
    (tmp_path / "spec.toml").write_text('extends = "' + "again/" * 60 + 'base.toml"\n' + GOOD)
    assert codes(cfgc(tmp_path, "check", "spec.toml", "--format", "json"))[0] in {"CFG101", "CFG102"}
    assert cfgc(tmp_path, "overlays").returncode == 0


ARGUMENTS: dict[str, tuple[str | bytes, str]] = {
    "bytes that are no characters": (b"training.max_steps=\xff\xfe", "CFG120"),
    "bytes in a key": (b"tra\xff.x=1", "CFG120"),
    "a long value": ("experiment.description=" + "x" * 100_000, "CFG128"),
    "a long key": ("a" * 100_000 + ".b=1", "CFG128"),
    "deep nesting": ("experiment.tags=" + "[" * 5_000, "CFG122"),
    "a deep key": (".".join("a" * 4_000) + "=1", "CFG120"),
    "thousands of digits": ("training.max_steps=" + "9" * 5_000, "CFG107"),
    "not a number": ("training.learning_rate=nan", "CFG107"),
    "control characters": ("experiment.description=a\x1b[31mb", "CFG122"),
    "two lines": ("training.max_steps=3\ntraining.learning_rate=1", "CFG122"),
    "letters of another alphabet": ("tr\u0430ining.max_steps=3", "CFG120"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_hostile_override_is_a_finding(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.toml").write_text(GOOD)
    override, code = ARGUMENTS[name]
    for output_format in ("json", "text", "github"):
        assert run(["check", str(tmp_path / "spec.toml"), os.fsdecode(override), "--format", output_format]) == 1
        assert code in "".join(capsys.readouterr())


def test_thousands_of_overrides_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.toml").write_text(GOOD)
    many = [f"training.max_steps={number}" for number in range(5_000)]
    assert run(["check", str(tmp_path / "spec.toml"), *many, "--format", "json"]) == 1
    assert [finding["code"] for finding in json.loads(capsys.readouterr().out)] == ["CFG128"]


@pytest.mark.parametrize("name", [b"\xff\xfe.toml", b"a\nb.toml", b"\x1b[31m.toml", b"x" * 5_000 + b".toml"])
def test_names_of_files_that_are_no_characters(name: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for output_format in ("json", "text", "github"):
        assert run(["check", os.fsdecode(os.fsencode(tmp_path / "a") + name), "--format", output_format]) == 1
        assert "\x1b" not in "".join(capfd.readouterr())


def test_a_name_that_is_no_characters_is_printed_by_a_real_process(tmp_path: Path) -> None:
    for output_format in ("json", "github"):
        done = cfgc(tmp_path, "check", b"\xff\xfe.toml", "--format", output_format)
        assert done.returncode == 1, done.stderr
        assert b"CFG102" in done.stdout


def test_null_characters_reach_no_system_call(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["check", "a\0b.toml"], ["check", "cfgc:a\0b.toml"], ["overlays", "a\0b.toml"]):
        assert run(arguments) in {1, 64}
    assert "Traceback" not in capsys.readouterr().err
