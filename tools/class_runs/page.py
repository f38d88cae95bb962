"""docs/classes.md: the class of every key, why, and what showed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cfgc.deepspeed.classes import UNKNOWN, lines
from cfgc.schema.catalogue import SchemaField
from cfgc.schema.variables import NAMES
from tools.class_runs.probing import Verdict, unseen
from tools.class_runs.running import Shown
from tools.executed_keys import all_keys

INTRODUCTION = """\
# Classes

What a change of a key changes, and how that is known. `python -m tools.class_runs -o docs/classes.md` writes this page
from the schema, `compiler/cfgc/deepspeed/classes.toml`, and trainings that it runs; a test refuses a page with another
class or reason than they have. `cfgc diff`, and a run that resumes, use these classes.

- **numerics**: the loss curve is another one, or what a task computes.
- **resources**: memory, speed or cost; the curve is the same. Where the same sums are made in another order they round
  otherwise, so that it is the same within rounding, not bit for bit. With dropout, other ranks or other micro batches
  draw other noise.
- **logistics**: names, places, times, who is told, what is kept. Bit for bit the same curve.

A key has one class, whatever its other keys say, and the curve is that of the losses of training. Three things follow
from it that a reviewer may want to know:

- What is judged is no matter of the curve. With `evaluation.max_batches` one evaluation reads that many batches of
  `evaluation.micro_batch_size` samples on each rank. So it reads other samples, and shows another loss, when one of the
  two changes, or `launch.nodes` or `launch.gpus_per_node`, or `training.micro_batch_size` and what that follows from
  where the evaluation has no size of its own. Without `max_batches` all that is held out is judged, whatever they are.
- With `training.early_stopping` the end of a run hangs on its evaluations, though none of these keys is numerics. Where
  they come after other steps, or judge other samples, and nothing else is numerics, `cfgc diff` says so beside the
  keys, as a change of that class, and a gate counts it. Where they judge the same samples the judgement is the same
  within rounding, as the curve is. A resume goes by the classes of the keys alone.
- Whether a run ends with an error (`data.truncation`, `data.max_bad_records`) is no matter of its curve.

## Keys of a spec

Seen in pairs of trainings on a CPU that differ in this key alone (`tools/class_runs/probes.toml`):

- *same input*: config.py and ds_config.json are the same, so that the ranks are given the same.
- *equal*: each step's loss is the same, bit for bit. *rounding*: within 1e-4 of it. *another curve*: neither.

| key | class | because | seen |
| --- | --- | --- | --- |
"""

_SEEN: Mapping[Verdict, str] = {
    "same input": "*same input*",
    "equal": "*equal*",
    "rounding": "*rounding*",
    "different": "*another curve*",
}


def render(shown: Iterable[Shown]) -> str:
    """The page, a newline at the end."""
    seen = {one.probe.key.dotted: _SEEN[one.verdict] for one in shown}
    keys = [f"{row(key)} {seen.get(key.dotted) or unseen(key)} |" for key in all_keys()]
    return INTRODUCTION + "\n".join([*keys, "", *_variables(), "", *_ds_config()]) + "\n"


def row(key: SchemaField) -> str:
    """The row of ``key``, but for what was seen."""
    return f"| `{key.dotted}` | {key.field_class} | {key.meta.why} |"


def _variables() -> Iterator[str]:
    yield "## Variables\n"
    yield "Of `env.variables` and `cluster.environment`; the first pattern that a name fits. Any other name is of class"
    yield "numerics: the user's own code may read it.\n"
    yield "| names | class | because |\n| --- | --- | --- |"
    for classed, names in NAMES:
        yield f"| {' '.join(f'`{name}`' for name in names.split())} | {classed.kind} | {classed.why} |"


def _ds_config() -> Iterator[str]:
    yield "## Keys of DeepSpeed\n"
    yield "Of `[deepspeed.raw]`, of every release since 0.12.0. `.*` stands for a table and for its keys without a row."
    yield f"Any other key is of class {UNKNOWN.kind}.\n"
    yield "| key | class | because |\n| --- | --- | --- |"
    for name, classed in sorted(lines().items()):
        yield f"| `{name}` | {classed.kind} | {classed.why} |"
