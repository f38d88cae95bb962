"""Tokenizers of every kind, from local files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cfgc_runtime.data.records import BadRecordError
from cfgc_runtime.data.tokenizers import Vocabulary, check_vocabulary, load_tokenizer, tokenizer_digest
from cfgc_runtime.errors import NO_INPUT, WRONG_WORLD, Failure
from tests.runtime.data_files import TEXTS, tokenizer, write_tokenizer

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tokenizer.json, a directory for transformers, and one with nothing but a sentencepiece model."""
    path = tmp_path_factory.mktemp("tokenizers")
    write_tokenizer(path / "tokenizer.json", "</s>", "<pad>")
    write_tokenizer(path / "plain.json")
    (path / "fast").mkdir()
    shutil.copy(path / "tokenizer.json", path / "fast")
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "chat_template": TEMPLATE}
    (path / "fast" / "tokenizer_config.json").write_text(json.dumps(said))
    (path / "fast" / "model.safetensors").write_bytes(b"weights are no part of a tokenizer")
    write_sentencepiece(path / "pieces")
    return path


def write_sentencepiece(path: Path) -> None:
    import sentencepiece

    path.mkdir()
    (path / "corpus.txt").write_text("\n".join(TEXTS * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(path / "corpus.txt"), model_prefix=str(path / "tokenizer"), vocab_size=320, byte_fallback=True,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "LlamaTokenizer", "eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"})
    )


def of(files: Path, name: str) -> Any:
    kinds = {
        "bytes": tokenizer(),
        "json": tokenizer("tokenizers", files / "tokenizer.json"),
        "fast": tokenizer("transformers", files / "fast"),
        "pieces": tokenizer("transformers", files / "pieces"),
    }
    return load_tokenizer(kinds[name])


@pytest.mark.covers("data.tokenizer.kind", "data.tokenizer.path")
@pytest.mark.parametrize("name", ["bytes", "json", "fast", "pieces"])
def test_text_comes_back_and_batches_are_the_same(files: Path, name: str) -> None:
    made = of(files, name)
    for text, tokens in zip(TEXTS, made.encode_batch(TEXTS), strict=True):
        assert made.encode(text) == tokens.tolist()
        assert max(tokens.tolist()) < made.vocabulary.size
        assert made.decode(tokens.tolist()) == text
        assert made.end not in tokens.tolist()


@pytest.mark.parametrize("name", ["bytes", "json", "fast", "pieces"])
def test_every_token_knows_its_characters(files: Path, name: str) -> None:
    made, text = of(files, name), "Gradients flow é."
    tokens, places = made.encode_with_offsets(text)
    assert tokens == made.encode(text)
    assert {at for start, stop in places for at in range(start, stop)} >= {0, 5, 15, 16}
    assert max(stop for _, stop in places) == len(text)


@pytest.mark.parametrize("name", ["bytes", "json", "fast"])
def test_half_a_character_is_a_bad_record(files: Path, name: str) -> None:
    with pytest.raises(BadRecordError, match="it is not Unicode at character 2"):
        of(files, name).encode("ab\ud800")


def test_bytes_that_are_no_text_stay_what_they_are(files: Path) -> None:
    text = b"a\xffb".decode("utf-8", "surrogateescape")
    assert of(files, "bytes").encode(text) == [97, 255, 98]
    with pytest.raises(BadRecordError):
        of(files, "json").encode(text)


@pytest.mark.covers("data.tokenizer.end_token", "data.tokenizer.pad_token")
def test_end_and_padding_are_found_or_named(files: Path) -> None:
    known = of(files, "json").vocabulary
    assert (known.end, known.pad) == (0, 1)
    named = load_tokenizer(tokenizer("tokenizers", files / "tokenizer.json", "<pad>", "</s>")).vocabulary
    assert (named.end, named.pad) == (1, 0)
    assert named.digest != known.digest
    assert of(files, "fast").vocabulary.pad == of(files, "fast").end
    with pytest.raises(Failure, match=r'does not say which token ends a document; name it: `end_token = "…"`'):
        load_tokenizer(tokenizer("tokenizers", files / "plain.json"))
    with pytest.raises(Failure, match=r"data.tokenizer.pad_token: .* has no token `<PAD>`"):
        load_tokenizer(tokenizer("tokenizers", files / "tokenizer.json", pad_token="<PAD>"))


def test_a_chat_template_comes_with_the_tokenizer(files: Path) -> None:
    assert of(files, "fast").chat_template == TEMPLATE
    assert of(files, "fast").special_tokens["eos_token"] == "</s>"


def test_the_digest_is_of_the_tokenizers_own_files(files: Path, tmp_path: Path) -> None:
    shutil.copytree(files / "fast", tmp_path / "fast")
    said = tokenizer("transformers", tmp_path / "fast")
    first = tokenizer_digest(said)
    assert first == tokenizer_digest(tokenizer("transformers", files / "fast"))
    (tmp_path / "fast" / "model.safetensors").write_bytes(b"others")
    assert tokenizer_digest(said) == first
    (tmp_path / "fast" / "tokenizer_config.json").write_text("{}")
    assert tokenizer_digest(said) != first


@pytest.mark.parametrize(
    ("kind", "path", "sentence"),
    [
        ("tokenizers", "nowhere.json", "there is no .*nowhere.json"),
        ("tokenizers", "fast/tokenizer_config.json", "is no tokenizer.json"),
        ("transformers", "nowhere", "nowhere is not a directory"),
        ("transformers", "empty", "holds no tokenizer"),
        ("transformers", "broken", "transformers cannot load the tokenizer in .*broken"),
    ],
)
def test_what_is_missing_is_named(files: Path, kind: str, path: str, sentence: str) -> None:
    (files / "empty").mkdir(exist_ok=True)
    (files / "broken").mkdir(exist_ok=True)
    (files / "broken" / "tokenizer.json").write_text("{")
    with pytest.raises(Failure, match=sentence) as caught:
        load_tokenizer(tokenizer(kind, files / path))
    assert caught.value.code == NO_INPUT


def test_a_package_that_is_not_there_is_named_with_what_to_install(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(Failure, match=r"needs the package tokenizers .*-m pip install tokenizers") as caught:
        of(files, "json")
    assert caught.value.code == WRONG_WORLD


def test_a_model_needs_as_many_tokens() -> None:
    known = Vocabulary("tokenizers", "", 32_001, 0, 0)
    for enough in (32_001, 40_000, 0):
        check_vocabulary(known, enough)
    with pytest.raises(
        Failure, match=r"32,001 tokens and the model 32,000: write `vocab_size = 32064` under \[model\]"
    ):
        check_vocabulary(known, 32_000)
