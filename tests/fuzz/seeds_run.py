"""More specs to start from: what a run can do, the user's own code, models of transformers, and tasks."""

from __future__ import annotations

CODE = '''"""What the specs name."""
from typing import Any, Literal


def build(split: Literal["train", "evaluation"], samples: int, noise: float = 0.1) -> Any: ...


class Net:
    def __init__(self, channels: list[int], *, classes: int = 3, **more: object) -> None: ...


def loss(outputs: Any, batch: Any, smoothing: float = 0.0) -> Any: ...


def accuracy(outputs, batch, k=1): ...


def optimizer(groups, momentum=0.9): ...


def main(steps: int, pause: float = 0.0) -> int: ...
'''

RUN = """[overlays]
hardware = "a100-80gb"
zero = "1"

[experiment]
name = "all"
[model]
vocab_size = 32000
hidden_size = 256
num_layers = 2
num_heads = 4
intermediate_size = 512
max_sequence_length = 256
attention = "sdpa"

[data]
sequence_length = 256
packing = false
padding_side = "right"
pad_to = "longest"
num_workers = 2
prefetch_factor = 3
persistent_workers = true
max_bad_records = 4
max_train_samples = 100_000
chat_template = "{{ messages }}"
tokenizer = { kind = "tokenizers", path = "tok.json", end_token = "</s>", pad_token = "<pad>" }
mixing = { enabled = true, temperature = 2.0 }

[[data.sources]]
name = "chat"
path = { env = "DATA", path = "chat" }
kind = "jsonl"
format = "chat"
messages_field = "turns"
weight = 3

[[data.sources]]
name = "prompts"
path = "prompts"
kind = "parquet"
format = "prompt"
prompt_field = "question"
completion_field = "answer"
weight = 1.5

[training]
max_epochs = 2
global_batch_size = 64
micro_batch_size = 4
learning_rate = 3e-4
warmup_steps = 20
compile = true

[training.optimizer]
type = "adamw"
betas = [0.9, 0.98]
groups = [{ pattern = "*norm.weight", weight_decay = 0.0 }, { pattern = "embedding.*", learning_rate_scale = 0.5 }]

[training.scheduler]
type = "wsd"
decay_steps = 50

[training.gradient_health]
enabled = true
initial_clip_value = 2.0
final_clip_value = 1.0
warmup_steps = 10
explosion_threshold = 50.0
auto_reduce_lr = true

[training.penalties]
repetition = 0.1
eos = 0.2
min_sequence_length = 16

[evaluation]
every_epochs = 1
max_batches = 10

[checkpoint]
every_epochs = 1
keep_best = 2
elastic = true

[tracking]
csv = true
tensorboard = true
[tracking.wandb]
mode = "offline"
project = "lab"
[tracking.mlflow]
uri = "http://localhost:5000"
experiment = "all"

[launch]
gpus_per_node = 2
watchdog = "10min"
restart = true
max_attempts = 3
"""

OWN_CODE = """[overlays]
hardware = "cpu"
zero = "2"
[experiment]
name = "own"
[model]
kind = "target"
target = "mine:Net"
arguments = { channels = [16, 32], norm = { kind = "batch", affine = true } }
[data]
target = "mine:build"
arguments = { samples = 1000, noise = 0.1 }
[training]
max_steps = 100
global_batch_size = 16
micro_batch_size = 4
[training.optimizer]
type = "target"
target = "mine:optimizer"
arguments = { momentum = 0.9 }
[training.loss]
target = "mine:loss"
arguments = { smoothing = 0.1 }
[evaluation]
every_steps = 20
metrics = [{ name = "top 1", target = "mine:accuracy" }, { name = "top 5", target = "mine:accuracy", arguments.k = 5 }]
[checkpoint]
every_steps = 20
[launch]
gpus_per_node = 2
"""

HUGGINGFACE = """[overlays]
hardware = "h100-80gb"
zero = "3"
[experiment]
name = "theirs"
[model]
kind = "huggingface"
config = { model_type = "llama", hidden_size = 64, num_hidden_layers = 2, num_attention_heads = 4, vocab_size = 320 }
attention = "flash_attention_2"
[data]
sequence_length = 64
max_eval_samples = 100
streaming = { enabled = true, buffer_size = 100 }
[[data.sources]]
name = "web"
path = "web"
kind = "huggingface"
dataset_split = "train"
field = "body"
[training]
max_steps = 100
global_batch_size = 64
micro_batch_size = 8
[training.scheduler]
type = "step"
milestones = [50, 80]
gamma = 0.5
[launch]
gpus_per_node = 8
"""

TASKS = (
    """[overlays]
hardware = "h100-80gb"
[experiment]
name = "preprocess"
[env]
required = ["HF_TOKEN"]
[task]
inline = \"\"\"
#!/bin/bash
python -m cut "$@"
\"\"\"
args = ["--style", "it's"]
env = { TOKENIZERS_PARALLELISM = "false" }
working_directory = { env = "SCRATCH", path = "corpus" }
uses_deepspeed = true
[launch]
nodes = 2
gpus_per_node = 4
time_limit = "4:00:00"
""",
    """[overlays]
hardware = "cpu"
[experiment]
name = "count"
[task]
target = "mine:main"
arguments = { steps = 20, pause = 0.1 }
[launch]
gpus_per_node = 2
""",
)
