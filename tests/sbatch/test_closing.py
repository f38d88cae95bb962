"""What bash cannot read is said, and nothing of what it can; bash itself is asked."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from cfgc.sbatch.closing import first_fault
from cfgc.sbatch.linting import lint_script

HERE = Path(__file__).parent
SCRIPTS = sorted([*(HERE / "clean").glob("*.sh"), *HERE.glob("CFG*/job.sh"), *HERE.parents[1].glob("out/*/*.s*")])
ONES = re.compile(r"[\"'`(){}]|\$\(|\b(?:if|then|fi|do|done|esac|EOF)\b|;;")


def mutants(seed: int, count: int) -> list[str]:
    """Scripts that lack a quote, bracket or word, have one more, or end somewhere."""
    chance = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        text = chance.choice(SCRIPTS).read_text()
        found = list(ONES.finditer(text))
        place = chance.choice(found) if found else None
        cut = chance.randrange(len(text))
        kind = chance.random()
        if place is None or kind < 0.3:
            made.append(text[:cut] + "\n")
        elif kind < 0.8:
            made.append(text[: place.start()] + text[place.end() :])
        else:
            made.append(text[: place.end()] + place[0] + text[place.end() :])
    return made


def bash_reads(text: str) -> bool:
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-n"], input=text.encode(), capture_output=True, check=False)
    return not done.returncode and not done.stderr


def test_what_bash_reads_is_closed() -> None:
    texts = [text for text in mutants(1, 200) if "exit" not in text]
    refused = [text for text in texts if not bash_reads(text)]
    found = [text for text in texts if first_fault(text)]
    assert [text for text in found if text not in refused] == []
    assert len(found) > 0.9 * len(refused) > 20


def test_no_spoilt_script_stops_it() -> None:
    for text in mutants(2, 120):
        begun = time.monotonic()
        lint_script("job.sh", text.encode())
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('echo "a', '"'), ("echo 'a", "'"), ("echo $'a", "'"), ("echo `a", "a second backtick"), ("echo ${a", "}"),
        ("echo $((1", "))"), ("echo $(a", ")"), ("(a", ")"), ("a=(b", ")"), ("[[ a == @(b ]]", ")"), ("[[ a", "]]"),
        ("if a", "then"), ("if a; then b", "fi"), ("if a; then b; else c", "fi"), ("for a in b", "do"),
        ("case a in", "esac"), ("while a; do b", "done"), ("f() {", "}"),
        ("if a; then { b; fi", "}"), ("[[ a; then", "]]"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(text: str, missing: str) -> None:
    (found,) = (one for one in lint_script("job.sh", f"#!/bin/bash\n{text}\n".encode()) if one.code == "CFG699")
    assert found.severity == "error"
    assert found.message.split(" on: ")[1].replace("`", "") == f"{missing} is missing"


@pytest.mark.parametrize("shebang", ["#!/usr/bin/env python3", "#!/usr/bin/fish", "#!/bin/tcsh", "#!/usr/bin/perl -w"])
def test_other_languages_are_not_read_as_bash(shebang: str) -> None:
    assert "CFG699" not in {one.code for one in lint_script("job", f"{shebang}\n#SBATCH -N 1\nit's ({{\n".encode())}


@pytest.mark.parametrize(("shebang", "bad"), [("#!/bin/sh", False), ("#!/usr/bin/env bash", True)])
def test_a_quote_in_a_default_is_one_for_bash_alone(shebang: str, bad: bool) -> None:
    found = lint_script("job.sh", f'{shebang}\n#SBATCH -N 1\necho "${{NAME:-it\'s}}"\n'.encode())
    assert bool(found) is bad


@pytest.mark.parametrize("last", ["exit", "exit 3  # done", "exec srun a", "if a; then b; fi; exit 1\nexit 2"])
def test_what_follows_the_end_is_not_read(last: str) -> None:
    assert first_fault(f"srun a\n{last}\n' ( {{ if\n") is None


@pytest.mark.parametrize(
    "line", ["a || exit 1", "if a; then\n  exit 1\nfi", "exec >log 2>&1", "exit 1 | b", "exit_all"]
)
def test_what_is_no_end_of_the_script_is_read_on(line: str) -> None:
    assert first_fault(f"{line}\necho 'a\n") is not None


def test_sums_that_are_none_are_given_up_in_time() -> None:
    begun = time.monotonic()
    assert first_fault("((a) b)\n" * 15_000) is None
    assert time.monotonic() - begun < 2
