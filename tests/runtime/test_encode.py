"""Records become tokens, and only what should be is trained on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgc_runtime.data.chat import render
from cfgc_runtime.data.encode import check, encode
from cfgc_runtime.data.records import BadRecordError, Position, Record
from cfgc_runtime.data.tokenizers import byte_tokenizer
from cfgc_runtime.errors import NO_INPUT, Failure

MARKED = (
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}"
    "<|im_start|>assistant\n{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}{{ '\\n' }}"
    "{% else %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "")
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "2+2?"},
    {"role": "assistant", "content": "4"},
    {"role": "user", "content": "Sure? 🙂"},
    {"role": "assistant", "content": "Yes.\nQuite."},
]


def source(form: str, **changed: Any) -> Any:
    fields = {"field": "text", "prompt_field": "prompt", "completion_field": "completion", "messages_field": "messages"}
    return SimpleNamespace(**{"kind": "jsonl", "format": form, **fields} | changed)


def record(**fields: Any) -> Record:
    return Record(fields, "data.jsonl:1", Position(0, 1))


def trained_text(encoded: Any) -> str:
    kept = [token for token, trained in zip(encoded.tokens, encoded.trained, strict=True) if trained]
    return bytes(token for token in kept if token < 256).decode() + "<end>" * kept.count(256)


BYTES = byte_tokenizer("")


def test_text_ends_with_the_end_token() -> None:
    found = encode(record(text="ab"), source("text"), BYTES, "")
    assert (found.tokens, found.trained) == ([97, 98, 256], None)
    assert encode(record(body="a"), source("text", field="body"), BYTES, "").tokens == [97, 256]


@pytest.mark.covers("data.sources.format", "data.sources.prompt_field", "data.sources.completion_field")
def test_a_prompt_is_read_and_its_completion_is_trained_on() -> None:
    found = encode(record(prompt="Q: ", completion="yes"), source("prompt"), BYTES, "")
    assert bytes(found.tokens[:-1]).decode() == "Q: yes"
    assert trained_text(found) == "yes<end>"
    other = source("prompt", prompt_field="question", completion_field="answer")
    assert trained_text(encode(record(question="Q: ", answer="no"), other, BYTES, "")) == "no<end>"


@pytest.mark.covers("data.sources.messages_field", "data.chat_template")
@pytest.mark.parametrize("template", [MARKED, PLAIN])
def test_only_the_turns_of_the_assistant_are_trained_on(template: str) -> None:
    found = encode(record(turns=TURNS), source("chat", messages_field="turns"), BYTES, template)
    newline = "" if template is MARKED else "\n"  # a template without marks says nothing of where its turn ends
    assert trained_text(found) == f"4<|im_end|>{newline}Yes.\nQuite.<|im_end|>{newline}<end>"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=12)), min_size=1, max_size=5))
def test_marks_and_rendering_turn_by_turn_agree(turns: list[tuple[str, str]]) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    marked, plain = render(MARKED, messages, {}), render(PLAIN, messages, {})
    assert marked.text == plain.text
    for (start, stop), (first, last) in zip(marked.trained, plain.trained, strict=True):
        assert (start, stop) == (first, last - 1)
    said = [content for role, content in turns if role == "assistant"]
    assert [marked.text[start:stop] for start, stop in marked.trained] == [f"{one}<|im_end|>" for one in said]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A byte-level BPE with merges over the marks' neighbours, as transformers loads it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    raw.train_from_iterator(["assistant\nYes.\nQuite. Sure? 2+2? user\nBe brief."] * 20, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = MARKED
    directory = tmp_path_factory.mktemp("tokenizer")
    made.save_pretrained(directory)
    return directory


def load(directory: Any) -> Any:
    from cfgc_runtime.data.tokenizers import load_tokenizer

    path = SimpleNamespace(base="absolute", name="", path=str(directory))
    return load_tokenizer(SimpleNamespace(kind="transformers", path=path, end_token="", pad_token=""))


@pytest.mark.parametrize("turns", [TURNS, TURNS[:3], TURNS[1:3] * 3])
def test_tokens_and_masks_are_those_of_transformers(pretrained: Any, turns: list[dict[str, str]]) -> None:
    ours = load(pretrained)
    theirs = ours.raw.apply_chat_template(turns, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    for template in ("", PLAIN):  # the tokenizer's own has marks
        found = encode(record(messages=turns), source("chat"), ours, template)
        assert found.tokens == theirs["input_ids"]
        assert found.trained == [flag == 1 for flag in theirs["assistant_masks"]]
    assert ours.raw.decode([token for token, on in zip(found.tokens, found.trained or [], strict=True) if on]).endswith(
        "<|im_end|>"
    )


def test_the_end_token_is_added_where_the_template_leaves_it_out(pretrained: Any) -> None:
    bare = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    found = encode(record(messages=TURNS[1:3]), source("chat"), load(pretrained), bare)
    assert found.tokens[-1] == load(pretrained).end
    assert found.trained is not None
    assert found.trained[-1]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"other": "x"}, "no field `text`"),
    ("text", {"text": ["x"]}, "`text` is no text"),
    ("prompt", {"prompt": "x"}, "no field `completion`"),
    ("chat", {}, "no field `messages`"),
    ("chat", {"messages": "x"}, "`messages` is no list of messages"),
    ("chat", {"messages": [{"content": "x"}]}, "a message in `messages` has no role"),
    ("chat", {"messages": TURNS[:2]}, "no message of the assistant"),
]


@pytest.mark.parametrize(("form", "fields", "reason"), BAD)
def test_a_bad_record_says_why_without_being_encoded(form: str, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecordError, match=reason):
        check(record(**fields), source(form))
    with pytest.raises(BadRecordError, match=reason):
        encode(record(**fields), source(form), BYTES, PLAIN)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ raise_exception('roles must alternate') }}", "refuses it: roles must alternate"),
        ("{{ messages[9].content }}", "cannot render it"),
        ("{{ messages | length }}{{ messages[-1].content }}", "mark it in the template"),
        ("{{ strftime_now('%Y') }}{{ messages[-1].content }}", "'strftime_now' is undefined"),
    ],
)
def test_a_template_that_does_not_fit_says_why(template: str, reason: str) -> None:
    with pytest.raises(BadRecordError, match=reason):
        encode(record(messages=TURNS), source("chat"), BYTES, template)


def test_what_is_no_template_ends_the_run() -> None:
    with pytest.raises(Failure, match="no Jinja template: line 1") as caught:
        encode(record(messages=TURNS), source("chat"), BYTES, "{% for %}")
    assert caught.value.code == NO_INPUT
    with pytest.raises(Failure, match="has no chat template"):
        encode(record(messages=TURNS), source("chat"), BYTES, "")
