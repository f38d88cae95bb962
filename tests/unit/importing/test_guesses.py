"""Keys of a tree that no table knows are read by their names, and what was dropped is never called unsaid."""

from __future__ import annotations

import re

from cfgc.importing.importer import Request, import_file
from tests.unit.importing.memory_tree import MemoryTree


def spec_of(text: str) -> str:
    return import_file(MemoryTree({"x.yaml": text}), Request("x.yaml", "hydra")).text


def line_of(key: str, text: str) -> str:
    found = re.search(rf"(?:^# check.*\n)?^{key} = .*", text, re.MULTILINE)
    assert found, text
    return re.sub(r" +#", " #", found[0])


def test_the_optimizer_is_read_wherever_its_table_stands() -> None:
    for place in ("opt", "optim", "model.optimizer", "trainer.opt", "training.optim"):
        *tables, last = place.split(".")
        inner = f"{last}: {{lr: 3e-4, weight_decay: 0.1}}"
        text = spec_of(f"{tables[0]}: {{{inner}}}" if tables else inner)
        assert line_of("learning_rate", text) == f"learning_rate = 3e-4 # from {place}.lr"
        assert line_of("weight_decay", text) == f"weight_decay = 0.1 # from {place}.weight_decay"
        assert "Dropped" not in text


def test_names_of_a_table_of_the_training_are_guessed_and_marked() -> None:
    text = spec_of("net: {d_model: 256}\nrun: {num_gpus: 4, lr: 1e-3}\noptimizer: {_target_: torch.optim.SGD}")
    assert line_of("hidden_size", text) == "hidden_size = 256 # check: from net.d_model"
    assert line_of("gpus_per_node", text) == "gpus_per_node = 4 # check: from run.num_gpus"
    assert line_of("learning_rate", text) == "learning_rate = 1e-3 # check: from run.lr"
    assert line_of("type", text[text.index("[training.optimizer]") :]).startswith('type = "sgd" # check: from opt')


def test_the_same_names_elsewhere_are_not_guessed() -> None:
    text = spec_of("validation: {batch_size: 2}\ncritic: {hidden_size: 64}\nscheduler: {lr: 1.0}")
    assert "batch_size = 2 " not in text.partition("Dropped")[0]
    assert (
        line_of("hidden_size", text) == "hidden_size = 512 # check: critic.hidden_size could not be kept: yours to say"
    )
    assert (
        line_of("learning_rate", text) == "learning_rate = 3e-4 # check: scheduler.lr could not be kept: yours to say"
    )


def test_a_tree_without_a_learning_rate_still_has_its_line() -> None:
    text = spec_of("trainer: {max_steps: 10}")
    assert line_of("learning_rate", text) == "learning_rate = 3e-4 # not in the imported file: yours to say"


def test_what_was_dropped_is_not_called_unsaid() -> None:
    text = spec_of("opt: {lr: '${oc.env:LR}', weight_decay: '${oc.env:WD}'}\ntrainer: {max_steps: 10}")
    assert line_of("learning_rate", text) == "learning_rate = 3e-4 # check: opt.lr could not be kept: yours to say"
    assert line_of("weight_decay", text).startswith("weight_decay = 0.01 # check: opt.weight_decay could not be kept; ")


def test_adapters_are_dropped_with_a_check() -> None:
    text = spec_of("model: {hidden_size: 64, peft: {peft_scheme: lora}}\ntrainer: {max_steps: 3}")
    assert '- check: model.peft.peft_scheme = "lora": adapters come later' in text
