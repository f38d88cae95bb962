"""What cfgc says of a directory of real ds_configs, beside what is known of them.

``python tools/corpus_verdict.py DIR [-o PAGE.md]``: DIR holds ``index.tsv``, whose columns say what is wrong with each
file. Every problem of the index has to be named where it is, a file without one may give no error, and nothing may end
in a traceback; the exit code is 1 otherwise.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "compiler"))

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.config import Config
from cfgc.deepspeed.reading import read_config
from cfgc.deepspeed.releases import newest_release, release
from cfgc.diagnostics import Diagnostic

ERRORS = ("reject_reason", "ignored_keys", "late_failures", "context_asserts", "dead_active", "duplicate_keys")
WARNINGS = ("dead_soft", "deprecated", "default_drift")

MODELS = {
    "CompileConfig": "compile",
    "TPTrainingConfig": "tensor_parallel",
    "DeepSpeedFP16Config": "fp16",
    "DeepSpeedBF16Config": "bf16",
    "DeepSpeedZeroConfig": "zero_optimization",
    "DeepSpeedZeroOffloadParamConfig": "zero_optimization.offload_param",
    "DeepSpeedZeroOffloadOptimizerConfig": "zero_optimization.offload_optimizer",
    "CommsLoggerConfig": "comms_logger",
    "HybridEngineConfig": "hybrid_engine",
    "TensorBoardConfig": "tensorboard",
    "WandbConfig": "wandb",
    "CSVConfig": "csv_monitor",
    "CometConfig": "comet",
    "ZenFlowConfig": "zero_optimization.zenflow",
    "DeepSpeedThroughputTimerConfig": "timers.throughput",
}
"""The section that a model of DeepSpeed's reads."""

SECTIONS = {
    "optimizer type": ("optimizer.type",),
    "scheduler type": ("scheduler.type",),
    "warmup_num_steps": ("scheduler.params.warmup_num_steps",),
    "WarmupCosineLR": ("scheduler.params", "scheduler.type"),
    "steps_per_print": ("steps_per_print",),
    "contiguous_memory_optimization": ("activation_checkpointing",),
    "pipeline block": ("pipeline", "zero_optimization.stage"),
    "offload_param": ("zero_optimization.offload_param",),
    "offload_optimizer": ("zero_optimization.offload_optimizer",),
    "Check batch related parameters": (
        "train_batch_size",
        "train_micro_batch_size_per_gpu",
        "gradient_accumulation_steps",
    ),
    "micro_batch": ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"),
    "train_batch_size": ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"),
    "bfloat16 and fp16 modes": ("fp16", "bf16", "bfloat16"),
    "GDS": ("aio.use_gds",),
    "AMP": ("amp",),
    "compression": ("compression_training",),
    "MoQ": ("quantize_training", "eigenvalue"),
    "igenvalue": ("eigenvalue",),
    "Partial offloading": ("zero_optimization.offload_optimizer.ratio",),
    "zero tuning keys": ("zero_optimization",),
}
"""Where a problem is, by words of its description; the first that matches."""


MACHINE = "CUDA accelerator"
"""The index was made on a machine without a GPU, and no file says what it will run on: a warning says enough."""


@dataclass(frozen=True)
class Problem:
    """One entry of the index. Every key of ``places`` is pointed at where ``each``, else one of them is enough."""

    column: str
    text: str
    places: tuple[str, ...]
    each: bool = False


@dataclass
class Verdict:
    """One file: its problems that were named, those that were not, and errors that the index does not have."""

    file: str
    named: list[Problem] = field(default_factory=list)
    missed: list[Problem] = field(default_factory=list)
    errors: int = 0
    false_errors: list[str] = field(default_factory=list)
    traceback: str = ""
    seconds: float = 0.0


def problems(row: dict[str, str]) -> Iterator[Problem]:
    """Every problem of a line of the index."""
    for column in (*ERRORS, *WARNINGS):
        separator = r";\s+(?=\w+: )" if column == "reject_reason" else r",\s*(?![^\[]*\])(?![^(]*\))"
        for part in re.split(separator, row.get(column) or ""):
            if part.strip():
                yield problem_of(column, part.strip())


def problem_of(column: str, text: str) -> Problem:
    """The problem with the dotted keys, or sections, where it may be said to be."""
    listed = re.search(r"\[([a-z_0-9, ]+)\]", text)
    if column == "dead_soft" and listed:
        return Problem(column, text, tuple(f"zero_optimization.{name.strip()}" for name in listed[1].split(",")), True)
    if column in {"ignored_keys", "duplicate_keys", "default_drift", "deprecated"}:
        return Problem(column, text, (text.split(" ", maxsplit=1)[0],))
    model = re.match(r"(\w+): ([\w.]+): \w+", text)
    if model and model[1] in MODELS:
        return Problem(column, text, (f"{MODELS[model[1]]}.{model[2]}",))
    quoted = re.search(r"'(\w+(?:\.\w+)*)' (?:block|configuration|flag|is no longer|has been removed)", text)
    known = next((at for words, at in SECTIONS.items() if words in text), ())
    return Problem(column, text, known or ((quoted[1],) if quoted else ()))


def names(finding: Diagnostic, config: Config, problem: Problem, place: str) -> bool:
    """Whether the finding points at ``place``, or at a key below it; at a key that is left out, by its name."""
    if finding.severity != "error" and problem.column in ERRORS and MACHINE not in problem.text:
        return False
    if problem.column == "default_drift":
        return f"{place}`" in finding.message
    labels = [label for label in (finding.primary, *finding.secondary) if label]
    spans = [(span.start, span.end) for label in labels for span in [label.span]]
    return any(start < end_of and begin < end for start, end in spans for begin, end_of in extents(config, place))


def extents(config: Config, place: str) -> list[tuple[int, int]]:
    """Where the names of the key ``place``, and of the keys below it, are written."""
    path = tuple(place.split("."))
    found = [entry for other, entry in config.entries.items() if other[: len(path)] == path]
    return [(entry.key.start, entry.key.end) for entry in found if entry.key]


def judge(row: dict[str, str], folder: Path) -> Verdict:
    """The verdict of one file."""
    verdict = Verdict(row["file"])
    data = (folder / row["file"]).read_bytes()
    world = int(row["world_size"]) if row.get("world_size") else None
    start = time.perf_counter()
    try:
        findings = check_ds_config(row["file"], data, release(newest_release()), world)
    except Exception:
        verdict.traceback = traceback.format_exc()
        return verdict
    verdict.seconds = time.perf_counter() - start
    wrong = [d for d in findings if d.severity == "error"]
    verdict.errors = len(wrong)
    compare(verdict, row, findings, read_config(row["file"], data))
    if not any(row.get(column) for column in ERRORS):
        verdict.false_errors = [f"{d.code} {d.message}" for d in wrong]
    return verdict


def compare(verdict: Verdict, row: dict[str, str], findings: Sequence[Diagnostic], config: Config) -> None:
    """Sort the problems of the index into those that the findings name and those that they miss."""
    for problem in problems(row):
        needed = all if problem.each else any
        found = needed(any(names(d, config, problem, place) for d in findings) for place in problem.places)
        (verdict.named if found and problem.places else verdict.missed).append(problem)


def page(verdicts: Sequence[Verdict]) -> str:
    """The counts as a Markdown table, and what is not as it should be."""
    named, missed = ([p.column for v in verdicts for p in getattr(v, kind)] for kind in ("named", "missed"))
    lines = ["| column of the index | problems | named |", "| --- | --- | --- |"]
    for column in (*ERRORS, *WARNINGS):
        lines.append(f"| `{column}` | {named.count(column) + missed.count(column)} | {named.count(column)} |")
    clean = [v for v in verdicts if not any(p.column in ERRORS for p in (*v.named, *v.missed))]
    times = sorted(v.seconds * 1000 for v in verdicts)
    false, broken = sum(bool(v.false_errors) for v in clean), sum(bool(v.traceback) for v in verdicts)
    files = f"{len(verdicts)} files, {len(clean)} of them without an error in the index: {false} with an error of ours"
    spent = f"milliseconds a file: median {times[len(times) // 2]:.1f}, at most {times[-1]:.1f}"
    return "\n".join([*lines, "", f"{files}; {broken} tracebacks; {spent}."]) + "\n"


def main() -> int:
    """Judge every file of the index; print the page, and what is wrong on stderr."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("-o", "--output", type=Path)
    given = arguments.parse_args()
    with (given.folder / "index.tsv").open(encoding="utf-8", newline="") as text:
        verdicts = [judge(row, given.folder) for row in csv.DictReader(text, delimiter="\t")]
    for verdict in verdicts:
        for problem in verdict.missed:
            print(f"{verdict.file}: missed {problem.column}: {problem.text} at {problem.places}", file=sys.stderr)
        for line in (*verdict.false_errors, *filter(None, [verdict.traceback])):
            print(f"{verdict.file}: {line}", file=sys.stderr)
    if given.output:
        given.output.write_text(page(verdicts), encoding="utf-8")
    print(page(verdicts), end="")
    return int(any(v.missed or v.false_errors or v.traceback for v in verdicts))


if __name__ == "__main__":
    sys.exit(main())
