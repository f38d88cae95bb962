"""Five hundred strings on which careless quoting breaks, always the same ones."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from random import Random

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle

COUNT = 500

_WHOLE = (
    *(
        "",
        " ",
        "-n",
        "--help",
        "-e x",
        "--",
        "-",
        "#",
        "# comment",
        "a #b",
        "~",
        "~root",
        ".",
        "..",
        "/",
        "//",
        "=",
        "a=b",
    ),
    *(
        "'",
        '"',
        "''",
        '""',
        "'\"'",
        "\\",
        "\\\\",
        "a\\",
        "\\'",
        "\\n",
        "\\0",
        "$",
        "$$",
        "$?",
        "$@",
        "${",
        "$(",
        "`",
        "``",
    ),
    *(
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
        "$((1+1))",
        "${x:-y}",
        "$'a'",
        '$"a"',
        "!",
        "!!",
        "!$",
        "^a^b",
        "{a,b}",
        "{1..9}",
    ),
    *(
        "*",
        "?",
        "[a]",
        "[!a]",
        "/*",
        "**/*",
        "+(x)",
        "a b",
        "  a  b  ",
        " a",
        "a ",
        ";",
        "; id",
        "&",
        "&&",
        "|",
        "||",
        ">x",
    ),
    *(
        "<x",
        ">&2",
        "<<E",
        "<<<x",
        "(a)",
        ")",
        "$(",
        "((",
        "[[",
        "if",
        "done",
        "esac",
        "{{ x }}",
        "{% raw %}",
        "{# c #}",
    ),
    *(
        "${training.seed}",
        "$${x}",
        "%j",
        "%x-%A_%a",
        "%",
        "%s%n",
        "${!x}",
        "SLURM_JOB_ID",
        "ALL",
        "NONE",
        "ALL,X=1",
        "a,b=c",
    ),
    *("null", "true", "1", "0x10", "1e3", "auto"),
    *("None", "'; exit 1; '", '"; exit 1; "', '\\"; exit 1', "EOF", "END"),
    *(
        "new\nline",
        "tab\there",
        "cr\rlf\r\n",
        "\x00",
        "a\x00b",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
    ),
    *("héllo", "日本語", "🚀", "e\u0301", "\u200b", "\u00a0", "ﬀ", "\U0010fffd", "Ω≈ç√", "﷽"),
    *("x" * 1_000, "'" * 300, "$(" * 200, "é" * 5_000, "\\" * 999),
)
_PARTS = (
    *("'", '"', "`", "$", "\\", "\n", "\t", " ", "#", "*", "?"),
    *("[", "]", "{", "}", "(", ")", "<", ">", "|", "&", ";"),
    *(
        "!",
        "~",
        "=",
        "%",
        ",",
        ":",
        "-",
        "--",
        "$(id)",
        "${HOME}",
        "é",
        "漢",
        "🚀",
        "\u202e",
        "\x07",
        "a",
        "Z",
        "0",
        "/",
    ),
)


@cache
def hostile_strings() -> tuple[str, ...]:
    """All of them, each once: those that somebody thought of, then mixtures of what shells and formats care for."""
    random = Random(20_221_105)
    found = dict.fromkeys(_WHOLE)
    while len(found) < COUNT:
        found["".join(random.choice(_PARTS) for _ in range(random.randint(1, 12)))] = None
    return tuple(found)[:COUNT]


def readable_strings() -> tuple[str, ...]:
    """Those without a control character, which is what a line of text may hold."""
    return tuple(text for text in hostile_strings() if not any(is_control(letter) for letter in text))


def is_control(letter: str) -> bool:
    """Whether a terminal, or a file of lines, takes ``letter`` for a command."""
    return letter < " " or "\x7f" <= letter <= "\x9f" or letter in "\u2028\u2029"


def as_toml(text: str) -> str:
    """``text`` as a TOML string that a spec does not interpolate."""
    escaped = "".join(_ESCAPES.get(letter) or _toml(letter) for letter in text.replace("${", "$${"))
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def _toml(letter: str) -> str:
    return letter if letter >= " " and not is_control(letter) else f"\\u{ord(letter):04x}"


ARRIVED = """
import json, os, sys
named = {os.fsdecode(name): value.hex() for name, value in os.environb.items()}
found = {"argv": [os.fsencode(word).hex() for word in sys.argv[1:]], "environment": named, "cwd": os.getcwdb().hex()}
with open(os.environ["SAID"] + os.environ["RANK"], "w") as file:
    json.dump(found, file)
"""
"""A task that writes down what it was given, byte for byte."""


def batch_spec(directory: Path) -> str:
    """A task that gets every readable string: as an argument, and in the variables of all three tables."""
    texts = readable_strings()
    tables = {"V": "env.variables", "T": "task.env", "C": "cluster.environment"}
    lines = [
        *('overlays.hardware = "cpu"', 'experiment.name = "batch"', 'task.script = "arrived.py"'),
        f"task.args = [{', '.join(map(as_toml, texts))}]",
        *("cluster.memory_per_node = 500_000_000", f"env.variables.SAID = {as_toml(str(directory / 'said-'))}"),
        f"launch.run_dir = {as_toml(str(directory / 'run'))}",
        f"launch.python = {as_toml(sys.executable)}",
        *(f"{table}.{name}{n} = {as_toml(text)}" for name, table in tables.items() for n, text in enumerate(texts)),
    ]
    return "\n".join(lines) + "\n"


def compile_batch(directory: Path) -> Path:
    """The bundle of ``batch_spec`` in ``directory``, beside the task's script."""
    (directory / "arrived.py").write_text(ARRIVED)
    reader = MemoryReader({"spec.toml": batch_spec(directory)}, DiskReader(directory, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml"), directory / "bundle")
    return directory / "bundle"


def lost_in(directory: Path) -> list[tuple[str, str]]:
    """What did not reach the task as it is in the spec: where, and the string."""
    found = json.loads((directory / "said-0").read_text())
    texts = readable_strings()
    wanted = {f"{name}{n}": text for name in "VTC" for n, text in enumerate(texts)}
    lost = [(name, text) for name, text in wanted.items() if found["environment"].get(name) != text.encode().hex()]
    argv = [bytes.fromhex(word).decode() for word in found["argv"]]
    return lost + [("argv", text) for n, text in enumerate(texts) if argv[n : n + 1] != [text]]
