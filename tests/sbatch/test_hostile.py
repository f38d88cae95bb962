"""Whatever the file holds, linting ends, soon, with findings and no exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc.diagnostics.machine import render_github, render_json
from cfgc.diagnostics.text import render_text
from cfgc.sbatch.linting import lint_script

HEAD = b"#!/bin/bash\n#SBATCH --nodes=2\n"
PIECES = r"""
srun & wait trap ' " ` $( ) ${ } $? || && ; | |& if then fi while do done case esac [[ ]] (( )) <<EOF EOF function f { }
set -ex +e #SBATCH --export=A, --signal=B:USR1@ -n = \ $SLURM_PROCID export A= $A "${A[@]}" A=( python tee exit scontrol
requeue MASTER_PORT=29500 HF_TOKEN= hostname -I mkdir -p torchrun --nproc-per-node= sbatch --dependency=afterok: é
"""
PIECE = st.sampled_from([*PIECES.split(), "\n", "\n", " ", "\t", "\r\n", "\0", "\u2028"])


def everything_said(data: bytes) -> str:
    found = lint_script("job.sh", data)
    for one in found:
        assert one.primary is not None
        assert 0 <= one.primary.span.start <= one.primary.span.end <= len(one.primary.span.source.text) + 1
    render_json(found)
    render_github(found)
    return render_text(found)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    assert everything_said(HEAD + data) == everything_said(HEAD + data)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECE, max_size=60))
def test_any_pieces_of_scripts(pieces: list[str]) -> None:
    everything_said(HEAD + " ".join(pieces).encode())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"srun a\n" * 200_000, "CFG699"),
        (b"(" * 100_000, "CFG699"),
        (b"srun a\n" * 9_000, "CFG699"),
        (b"\0" * 1_000, "CFG695"),
    ],
)
def test_what_no_job_script_is(text: bytes, code: str) -> None:
    assert code in {one.code for one in lint_script("job.sh", HEAD + text)}


@pytest.mark.parametrize(
    "text",
    [b"$(" * 4_000, b"{\n" * 4_000, b"if a; then\n" * 4_000, b'A="$A $A"\n' * 900 + b"srun $A\n", b"\xff\xfe\xe9" * 99],
)
def test_deep_and_strange_text_is_read(text: bytes) -> None:
    assert "CFG699" not in everything_said(HEAD + text)


@pytest.mark.parametrize("text", [b"if true; then\nsrun a\n", b"for i in 1 2; do\nsrun a\n"])
def test_what_is_never_closed_cannot_be_read(text: bytes) -> None:
    assert [one.code for one in lint_script("job.sh", HEAD + text)] == ["CFG699"]
    assert "CFG699" not in everything_said(HEAD + b"srun b\nexit\n" + text)


@pytest.mark.parametrize("words", ["clean USR1 TERM", "'a b' USR1", "USR1", ""])
def test_all_words_of_a_trap_come_from_one_variable(words: str) -> None:
    everything_said(HEAD + f'clean() {{ exit 0; }}\nX="{words}"\ntrap $X\nsrun python train.py\n'.encode())


def test_latin_1_in_a_comment_is_no_defect() -> None:
    assert lint_script("job.sh", HEAD + b"# \xe9t\xe9\nsrun python train.py\n") == ()
