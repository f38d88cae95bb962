"""DeepSpeed 0.19.8 refuses what the rules on ZeRO, formats and features call an error, and trains the rest."""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from deepspeed.runtime.config import DeepSpeedConfig

from tests.unit.deepspeed.zero_cases import ACCEPTED, OWN_ADAM, REFUSED, whole

HERE = Path(__file__).parent
CONFIGS = {
    **{name: whole(refusal.config) for name, refusal in REFUSED.items()},
    **{name: whole(config) for name, (config, _) in ACCEPTED.items()},
}
PARSED = [name for name in CONFIGS if name not in REFUSED or REFUSED[name].when != "parse"]
BUILT = {name: CONFIGS[name] for name in PARSED if CONFIGS[name]["optimizer"] != OWN_ADAM}
"""Without DeepSpeed's own Adam, which is compiled for minutes."""


@pytest.mark.parametrize("name", PARSED)
def test_deepspeed_reads_what_is_refused_later_or_never(name: str) -> None:
    DeepSpeedConfig(copy.deepcopy(CONFIGS[name]))


@pytest.mark.parametrize("name", [name for name in REFUSED if REFUSED[name].when == "parse"])
def test_deepspeed_refuses_what_is_said_to_be_refused_when_it_is_read(name: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - assertions, ValueErrors and ValidationErrors
        DeepSpeedConfig(copy.deepcopy(CONFIGS[name]))
    assert not isinstance(refused.value, KeyError | AttributeError)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("starts")
    configs, written = folder / "configs.json", folder / "outcomes.json"
    configs.write_text(json.dumps(BUILT))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    done = subprocess.run(
        [sys.executable, "engine_starts.py", str(configs), str(written)],
        cwd=HERE,
        env={
            **os.environ,
            **alone,
            "DS_ACCELERATOR": "cpu",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    loaded: dict[str, list[str]] = json.loads(written.read_text())
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_the_engine_stops_where_the_rules_say(name: str, outcomes: dict[str, list[str]]) -> None:
    when = REFUSED[name].when if name in REFUSED else "never"
    phase, error = outcomes[name]
    assert phase == {"never": "ok"}.get(when, when), error
