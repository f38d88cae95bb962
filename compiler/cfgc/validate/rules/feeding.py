"""How samples are made and drawn: mixtures, streams, padding, formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.arithmetic.data import has_eval_sources, shares, training_sources
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error
from cfgc.validate.rules.sources import SOURCES, first_eval, source_key

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.data import Source
    from cfgc.schema.spec import Spec

MIXING, STREAMING = "data.mixing.enabled", "data.streaming.enabled"
_LEAST_SHARE = 2.0**-32
"""The runtime draws sources by points of a grid as fine as this."""


def mixture_has_shares(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG482: a mixture has several sources, each with a share that is known when it is first drawn from."""
    sources = training_sources(spec)
    if not spec.data.mixing.enabled or not sources:
        return
    weights = [source.weight for source in sources if source.weight is not None]
    found = _too_few(sources) or _some_weights(spec, len(weights)) or _unknown_sizes(spec, weights)
    if not found and weights and min(shares(weights, spec.data.mixing.temperature)) < _LEAST_SHARE:
        found = [At(MIXING, "a weight leaves its source with nothing")], "raise the smallest `weight`"
    if found:
        places, help_ = found
        fixes = _weights(spec, resolved) if 1 < len(sources) > len(weights) else ()
        yield error("CFG482", "the sources cannot be mixed by weight", resolved, places, (), (help_,), fixes)


def _weights(spec: Spec, resolved: Resolved) -> tuple[Fix, ...]:
    """The same weight for every source that has none."""
    sources = enumerate(spec.data.sources)
    without = [at for at, source in sources if source.split == "train" and source.weight is None]
    return one_fix(edit for at in without for edit in Remedy(resolved).set(source_key(at, "weight"), 1.0))


def _too_few(sources: tuple[Source, ...]) -> tuple[list[At], str] | None:
    if len(sources) > 1:
        return None
    only = next(iter(sources))
    places = [At(MIXING, "mixes sources"), At(SOURCES, f'"{only.name}" is the only one that is trained on')]
    return places, "set `mixing.enabled = false`, or add a source"


def _some_weights(spec: Spec, weighted: int) -> tuple[list[At], str] | None:
    train = [(at, source) for at, source in enumerate(spec.data.sources) if source.split == "train"]
    if weighted in (0, len(train)):
        return None
    without = [At(SOURCES, "this source has no weight", (at, "name")) for at, one in train if one.weight is None]
    having = [At(SOURCES, "this one has", (at, "weight")) for at, one in train if one.weight is not None]
    return [*without, *having], "give each source a `weight`, or none, to mix them by the number of their samples"


def _unknown_sizes(spec: Spec, weights: list[float]) -> tuple[list[At], str] | None:
    if weights or not spec.data.streaming.enabled:
        return None
    places = [At(MIXING, "without weights, the sizes of the sources are the weights"), At(STREAMING, "nobody counted")]
    return places, "give each source a `weight`"


def streams_hold_out_a_number(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG484: of a stream a number of samples is held out, since a share of what nobody counted is not known."""
    said = spec.data
    if not said.streaming.enabled or said.max_eval_samples > 0:
        return
    own = has_eval_sources(spec)
    if not own and said.eval_fraction == 0:
        return
    if own:
        of = At(SOURCES, "all of it?", (first_eval(spec), "split"))
        helps: tuple[str, ...] = ("set `max_eval_samples = 1000`: at most so many are read, and kept in memory",)
    else:
        of = At("data.eval_fraction", f"{said.eval_fraction:g} of how many?")
        helps = ("set `max_eval_samples = 1000`: the first 1,000 samples are held out", _NONE)
    places = [At("data.max_eval_samples", "0: no number"), of, At(STREAMING, "read in order, not counted")]
    message = "how many samples of the stream are held out is not known"
    yield error("CFG484", message, resolved, places, (), helps)


_NONE = "or `eval_fraction = 0` to hold out none"


def sources_can_be_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG485: what a source is said to be fits its files, the tokenizer, and how it is read."""
    data = spec.data
    if data.sources and not training_sources(spec):
        places = [At(SOURCES, "never trained on", (at, "split")) for at in range(len(data.sources))]
        fixes = one_fix(Remedy(resolved).set(source_key(0, "split"), "train"))
        yield error("CFG485", "no source is trained on", resolved, places, (), ('set `split = "train"` on one',), fixes)
    for at, source in enumerate(data.sources):
        yield from _unfit_format(source, at, resolved)
        if source.kind == "tokens" and data.streaming.enabled:
            yield error(
                "CFG485",
                f"the token files of `{source.name}` cannot be streamed",
                resolved,
                [At(SOURCES, "found by index, and mapped", (at, "kind")), At(STREAMING, "reads records in order")],
                ("mapping a token file reads nothing before it is needed, so that a stream would save nothing",),
                ("set `streaming.enabled = false`",),
            )
        if source.format == "chat" and data.tokenizer.kind != "transformers" and data.chat_template is None:
            yield _without_template(source, at, data.tokenizer.kind, resolved)


def _unfit_format(source: Source, at: int, resolved: Resolved) -> Iterator[Diagnostic]:
    if source.format == "text" or source.kind not in ("text", "tokens"):
        return
    holds = "a text file has no fields" if source.kind == "text" else "its masks are in the token files already"
    remedy = Remedy(resolved)
    of_text = source.kind == "text"
    edits = remedy.set(source_key(at, "kind"), "jsonl") if of_text else remedy.drop(source_key(at, "format"))
    helps = {"text": 'set `kind = "jsonl"`', "tokens": "drop `format`, and give it where the tokens are packed"}
    yield error(
        "CFG485",
        f"the source `{source.name}` holds no {'prompts' if source.format == 'prompt' else 'conversations'}",
        resolved,
        [At(SOURCES, "of records with fields", (at, "format")), At(SOURCES, holds, (at, "kind"))],
        (),
        (helps[source.kind],),
        one_fix(edits),
    )


def _without_template(source: Source, at: int, kind: str, resolved: Resolved) -> Diagnostic:
    owns = "bytes have no chat template" if kind == "bytes" else "a tokenizer.json has no chat template"
    return error(
        "CFG485",
        f"nothing says how the conversations of `{source.name}` become text",
        resolved,
        [At(SOURCES, "conversations", (at, "format")), At("data.tokenizer.kind", owns)],
        (),
        ('write one as `data.chat_template`, or use a tokenizer that has its own: `tokenizer.kind = "transformers"`',),
    )


def left_padding_has_a_mask(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG486: torch's flash kernel takes no mask, which padding on the left needs."""
    said = spec.data
    if said.packing or said.padding_side == "right" or spec.model.kind != "decoder":
        return
    if spec.model.attention != "flash_attention_2":
        return
    yield error(
        "CFG486",
        "flash attention cannot leave out padding on the left",
        resolved,
        [At("data.padding_side", "needs a mask"), At("model.attention", "takes none")],
        ("padding on the right needs no mask: what comes before never sees it",),
        ('set `padding_side = "right"`', 'or `model.attention = "sdpa"`'),
    )


def chat_template_is_jinja(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG481: the chat template can be parsed."""
    template = spec.data.chat_template
    problem = None if template is None else _problem(template)
    if problem is None:
        return
    line, reason = problem
    yield error(
        "CFG481",
        "the chat template is no Jinja template",
        resolved,
        [At("data.chat_template", f"line {line} of it: {reason.partition('. ')[0].removesuffix('.')}")],
        ("it is rendered with `messages`, a list of `role` and `content`, for each record",),
    )


def _problem(template: str) -> tuple[int, str] | None:
    """Line and reason of what Jinja cannot parse. ``{% generation %}`` is a tag of chat templates alone."""
    from jinja2 import Environment, TemplateSyntaxError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    try:
        Environment(extensions=[Generation, loopcontrols], autoescape=False).parse(template)
    except TemplateSyntaxError as found:
        return found.lineno, found.message or "it cannot be parsed"
    return None
