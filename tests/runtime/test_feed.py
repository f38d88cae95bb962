"""Samples that come from mixed streams, on two real ranks with two workers each: killed and gone on with."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, new_run
from tests.runtime.kills import differences, newest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CHAT = "{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ '\\n' }}"
TEMPLATE = CHAT + "{% endgeneration %}{% else %}{{ m.content }}{{ '\\n' }}{% endif %}{% endfor %}"
SOURCES = (
    '[{ name = "chat", path = "chat", kind = "jsonl", format = "chat", weight = 3 },'
    ' { name = "prompt", path = "prompt", kind = "jsonl", format = "prompt", weight = 1 }]'
)
OVERRIDES = (
    f"data.sources={SOURCES}",
    f"data.chat_template={json.dumps(TEMPLATE)}",
    "data.packing=false",
    'data.padding_side="left"',
    "data.streaming={ enabled = true, buffer_size = 4 }",
    "data.mixing={ enabled = true, temperature = 2 }",
    "data.num_workers=2",
    "data.prefetch_factor=3",
    "data.persistent_workers=true",
    "data.max_eval_samples=8",
    "training.max_steps=4",
    "checkpoint.every_steps=2",
    "evaluation.every_steps=4",
)
FIRST_LOSS = math.log(257)
RECORDS = 10
"""Of each source: the second epoch of both begins before the end."""


def write_records(run: Run) -> Run:
    for name in ("chat", "prompt"):
        (run.cwd / name).mkdir()
        lines = [json.dumps(_record(name, number)) for number in range(RECORDS)]
        (run.cwd / name / "records.jsonl").write_text("\n".join(lines))
    return run


def _record(name: str, number: int) -> dict[str, object]:
    asked, said = f"{number}+1?", f"{number + 1}" * (1 + number % 3)
    if name == "prompt":
        return {"prompt": asked, "completion": said}
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}] * (1 + number % 2)}


@pytest.mark.covers("data.streaming.enabled", "data.streaming.buffer_size", "data.mixing.enabled")
@pytest.mark.covers("data.mixing.temperature", "data.chat_template", "data.sources.format", "data.sources.weight")
@pytest.mark.covers("data.padding_side")
def test_a_stopped_run_sees_the_samples_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = write_records(new_run(tmp_path / "unbroken", *OVERRIDES))
    assert unbroken.to_end().code == 0, unbroken.logs()
    assert unbroken.metrics()[-1]["eval_loss"] < FIRST_LOSS
    killed = write_records(new_run(tmp_path / "killed", *OVERRIDES))
    outcome = killed.to_end(TEST_KILL="1:5")  # the first of step 3's two micro steps; step 2 was saved
    assert outcome.code == 137, (outcome, killed.logs())
    assert killed.steps() == [1, 2]
    resumed = killed.to_end()
    assert resumed.code == 0, (resumed, killed.logs())
    assert "resumed from step 2" in resumed.out
    assert newest(killed) == 4
    assert differences(killed, unbroken) == []
