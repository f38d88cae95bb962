"""DeepSpeed 0.19.8 refuses what the rules on ZeRO, formats and features call an error, and trains the rest."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from deepspeed.runtime.config import DeepSpeedConfig

from tests.deepspeed.starting import alone
from tests.runtime.bundles import free_port
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
    loaded: dict[str, list[str]] = alone("engine_starts.py", BUILT, tmp_path_factory.mktemp("starts"), free_port())
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_the_engine_stops_where_the_rules_say(name: str, outcomes: dict[str, list[str]]) -> None:
    when = REFUSED[name].when if name in REFUSED else "never"
    phase, error = outcomes[name]
    assert phase == {"never": "ok"}.get(when, when), error
