"""The user's own code: what its calls replace, and whether they fit the functions that the project holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import evaluation_steps_of
from cfgc.diagnostics import Label
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.spec import Spec
from cfgc.usercode.calls import named_calls
from cfgc.usercode.checking import check_call
from cfgc.usercode.scripts import interpreter_of, script_problem
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error, is_default
from cfgc.validate.schema_errors import bad_argument
from cfgc.validate.tasks import NAMING

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.origin import Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

_OF_TOKENS = (
    *("sources", "tokenizer", "sequence_length", "eval_fraction", "max_bad_records", "packing", "padding_side"),
    *("pad_to", "truncation", "chat_template", "mixing", "streaming"),
)
"""Keys of ``[data]`` that are about text and tokens."""


def calls_fit_their_functions(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG471, CFG472: a function of the project is there, and takes what the spec gives it."""
    for call in named_calls(spec):
        source = resolved.code.modules.get(call.module)
        if source is not None:
            yield from check_call(call, source, resolved)


def no_argument_is_lost(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG476: an empty table is no value of a spec, so that none arrives as an argument."""
    for call in named_calls(spec):
        above = (*call.location, "arguments")
        if _gave_way(above, resolved):
            continue
        for layer in resolved.graph.layers:
            for path, span in layer.patch.tables.items():
                if len(path) <= len(above) or path[: len(above)] != above:
                    continue
                if not any(leaf[: len(path)] == path for leaf in resolved.leaves):
                    yield bad_argument(".".join(path), Label(span, "an empty table does not arrive"))


def _gave_way(above: tuple[str | int, ...], resolved: Resolved) -> bool:
    """Whether none of the arguments written below ``above`` counts: they are unset, or refused together."""

    def below(paths: Iterable[Path]) -> bool:
        return any(len(path) > len(above) and path[: len(above)] == above for path in paths)

    return not below(resolved.leaves) and any(below(layer.patch.sets) for layer in resolved.graph.layers)


def what_a_call_replaces_is_silent(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG473: a key that own code leaves without effect is not set."""
    if not isinstance(spec, Spec):
        return
    if spec.data.target is not None:
        yield from _ignored(resolved, "data", _OF_TOKENS, "data.target", "own code makes the samples")
        if spec.training.loss.target is None:
            of_ends, why = ("eos", "min_sequence_length"), "no tokenizer says which token ends a text"
            yield from _ignored(resolved, "training.penalties", of_ends, "data.target", why)
    else:
        yield from _ignored(resolved, "data", ("arguments",), "data.sources", "the files are read, no function called")
    training = spec.training
    if training.loss.target is None:
        yield from _ignored(resolved, "training.loss", ("arguments",), "training.loss", "it names no function")
    else:
        yield from _ignored(resolved, "training", ("penalties",), "training.loss.target", "own code computes the loss")
    if spec.evaluation.metrics and not evaluation_steps_of(spec) and not spec.evaluation.at_end:
        yield from _ignored(
            resolved, "evaluation", ("metrics",), "evaluation.every_steps", "no evaluation ever happens"
        )


def metric_names_differ(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG439: every metric has its own name, and none is called as the held-out loss."""
    names = [metric.name for metric in spec.evaluation.metrics]
    for index, name in enumerate(names):
        if name != "loss" and name not in names[:index]:
            continue
        yield error(
            "CFG439",
            f'two metrics are called "{name}"' if name != "loss" else 'a metric is called "loss", as the held-out loss',
            resolved,
            [At("evaluation.metrics", "the same name again", (index, "name"))],
            (f"metrics.jsonl says `eval_{name}` for one of them",),
            (f'give it a name of its own, such as `name = "{name}-2"`',),
        )


def _ignored(resolved: Resolved, section: str, names: tuple[str, ...], because: str, why: str) -> Iterator[Diagnostic]:
    for dotted in _written(resolved, section, names):
        yield error(
            "CFG473",
            f"`{dotted}` would be ignored: {why}",
            resolved,
            [At(dotted, "has no effect"), At(because, why)],
            ("what would be ignored is refused",),
            (f"drop `{dotted.rpartition('.')[2]}`",),
            one_fix(Remedy(resolved).drop(tuple(dotted.split(".")))),
        )


def _written(resolved: Resolved, section: str, names: tuple[str, ...]) -> Iterator[str]:
    """The keys of ``names``, or below them, that have another value than their default."""
    heads = [(*section.split("."), name) for name in names]
    for path, leaf in resolved.leaves.items():
        if not any(path[: len(head)] == head for head in heads):
            continue
        known = schema_fields().get(path)
        if known is None or not is_default(
            ".".join(path), tuple(leaf.value) if isinstance(leaf.value, list) else leaf.value
        ):
            yield ".".join(path)


def task_is_one(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG473: a task is one function or one script, and every other key of ``[task]`` belongs to it."""
    named = [name for key in NAMING if getattr(spec.task, name := key.removeprefix("task.")) is not None]
    if not named:
        idle = ("arguments", "args", "env", "paths", "working_directory", "uses_deepspeed")
        yield from _ignored(resolved, "task", idle, "task.kind", "`[task]` names no function and no script")
        return
    first, *others = named
    if spec.launch.watchdog:
        yield from _ignored(resolved, "launch", ("watchdog",), f"task.{first}", "a task tells of no steps")
    yield from _ignored(resolved, "task", tuple(others), f"task.{first}", f"`task.{first}` is what runs")
    unused = ("args",) if first == "target" else ("arguments",)
    what = "a function takes `arguments`" if first == "target" else "a script takes `args`"
    yield from _ignored(resolved, "task", unused, f"task.{first}", what)
    of_exports = ("checkpoint", "format", "dtype")
    yield from _ignored(resolved, "task", of_exports, f"task.{first}", "own code gets paths as `task.paths`")


def script_can_run(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG475: the script is in the project, and its name or first line says what runs it."""
    task = spec.task
    if task.target is not None or (task.script is None and task.inline is None):
        return
    key = "task.script" if task.script is not None else "task.inline"
    text = resolved.code.script if task.script is not None else (task.inline or "").encode()
    problem = script_problem(task.script, text)
    if problem is None and interpreter_of(task.script or "", text or b"") is None:
        problem = ("nothing says which program runs it", 'end its name in `.py` or `.sh`, or begin it with "#!"')
    if problem is not None:
        shown = f"`{task.script}`" if task.script is not None else "the script in `task.inline`"
        yield error("CFG475", f"{shown} cannot run", resolved, [At(key, problem[0])], (), (problem[1],))
