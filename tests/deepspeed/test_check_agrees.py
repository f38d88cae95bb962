"""Every key of the newest release with values of every kind: what DeepSpeed refuses, cfgc calls an error."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator
from typing import Any

import pytest

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Json, Path
from cfgc.deepspeed.judge import judge_config
from cfgc.deepspeed.reading import config_of
from cfgc.deepspeed.releases import release
from cfgc.deepspeed.structure import structural_findings

VALUES: tuple[Json, ...] = (
    *(None, True, False, "x", "1", "true", "auto", 1, 0, -1, 3, 1.5, 2.0, [], ["x"], {}, {"no": 1}),
)
RELEASE = release("0.19.8")
ELSEWHERE = {"aio.use_gds", "bfloat16", "train_batch_size"}
"""GDS is refused where there is no GPU; null is taken for bf16 but not for its old name; a batch size may come from the
training script."""


def trees() -> Iterator[tuple[Path, Json, dict[str, Any]]]:
    for path, key in RELEASE.keys.items():
        for value in () if key.refused else VALUES:
            tree: Any = value
            for part in reversed(path):
                tree = {part: tree}
            yield path, value, {"train_batch_size": 1, "gradient_clipping": 1.0, **tree}


@pytest.fixture(scope="module")
def refusals() -> dict[tuple[str, str], str]:
    """What DeepSpeed's parser says of each, empty when it takes it."""
    from deepspeed.runtime.config import DeepSpeedConfig

    said: dict[tuple[str, str], str] = {}
    for path, value, tree in trees():
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                DeepSpeedConfig(copy.deepcopy(tree))
                said[".".join(path), repr(value)] = ""
            except Exception as error:  # whatever it ends with
                said[".".join(path), repr(value)] = f"{type(error).__name__}: {error}"
    return said


@pytest.mark.slow
def test_what_deepspeed_refuses_is_an_error(refusals: dict[tuple[str, str], str]) -> None:
    silent = []
    for path, value, tree in trees():
        dotted = ".".join(path)
        refused = refusals[dotted, repr(value)]
        if refused and value != "auto" and dotted not in ELSEWHERE:
            found = judge_config(Case(config_of(tree), RELEASE, 1))
            silent += [] if any(d.severity == "error" for d in found) else [(dotted, value, refused[:100])]
    assert silent == []


@pytest.mark.slow
def test_what_a_model_of_deepspeed_takes_is_no_error_of_the_key_alone(refusals: dict[tuple[str, str], str]) -> None:
    """But for a switch where a number is taken: it is read as 0 or 1, which nobody means by it."""
    wrong = []
    for path, value, tree in trees():
        switch = isinstance(value, bool) and "bool" not in RELEASE.keys[path].kinds
        if RELEASE.keys[path].coerces and not switch and not refusals[".".join(path), repr(value)]:
            found = [finding.diagnostic for finding in structural_findings(Case(config_of(tree), RELEASE, 1))]
            wrong += [(".".join(path), value, d.message) for d in found if d.severity == "error"]
    assert wrong == []
