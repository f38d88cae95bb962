"""Every update rule at the stages that it is allowed at: two ranks train as one plain process does, and resume exactly.

The reference is torch's own class where there is one, else the rule written out below. fp32 sums in another order
differ in the last bits: losses agree within 1e-6, gradient norms within 1e-5, and weights after four steps of at
most 1e-2 within 1e-4 of the largest weight (6e-6 was seen). Lion moves each entry by the sign, which may flip where a
gradient is nearly 0: at most one entry in a thousand may differ there (none was seen). Muon's orthogonal update is
computed in bf16, as torch's: 1e-5, 1e-4 and 5e-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime.config import load_config
from cfgc_runtime.health import Health, clipping_bound
from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.schedule import learning_rate
from tests.runtime.bundles import compile_tiny
from tests.runtime.optimizer_worker import STEPS, tokens_of
from tests.runtime.workers import run_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor, nn

HEALTH = (
    "training.gradient_health.enabled=true",
    "training.gradient_health.initial_clip_value=0.3",
    "training.gradient_health.final_clip_value=0.1",
    "training.gradient_health.warmup_steps=3",
    "training.gradient_health.explosion_threshold=0.58",
    "training.gradient_health.lr_reduction_factor=0.25",
)
GROUPS = (
    'training.optimizer.groups=[{pattern = "*norm.weight", weight_decay = 0.3, learning_rate_scale = 0.5}, '
    '{pattern = "blocks.0.*", weight_decay = 0.0}]'
)
CASES = {
    **{f"lion-{stage}": () for stage in (0, 1, 2, 3)},
    **{f"adagrad-{stage}": () for stage in (0, 2, 3)},
    **{f"sgd-{stage}": ("training.optimizer.momentum=0.9", *HEALTH) for stage in (0, 1, 2, 3)},
    "adam-1": (),
    "fused_adam-0": (),
    "fused_adam-2": (),
    "adamw-2": (GROUPS,),
    "adamw-3": (GROUPS,),
    "lamb-0": (),
    "muon-0": (),
}
"""Update rule and stage, and what else the spec says."""

TOLERANCES = {"muon-0": (1e-5, 1e-4, 5e-3)}
"""Of losses, norms and weights, where they are wider."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of all cases, from one start of two ranks."""
    directory = tmp_path_factory.mktemp("optimizers")
    for name, overrides in CASES.items():
        kind, _, stage = name.partition("-")
        own = (f"training.optimizer.type={kind}", f"deepspeed.zero.stage={stage}", "model.hidden_dropout=0.0")
        compile_tiny(directory / "bundles" / name, *own, *overrides)
    run_worker("tests.runtime.optimizer_worker", directory, ranks=2)
    return directory


@pytest.fixture(scope="module")
def ranks(directory: Path) -> list[dict[str, Any]]:
    return [torch.load(directory / f"rank-{rank}.pt", weights_only=True) for rank in range(2)]


@dataclass
class Plain:
    """One weight's rule, written out; its state is this object's."""

    state: dict[str, Any]

    def lion(self, weight: Tensor, grad: Tensor, rate: float, decay: float) -> Tensor:
        mean = self.state.get("m", torch.zeros_like(weight))
        self.state["m"] = 0.95 * mean + 0.05 * grad
        return weight - rate * (torch.sign(0.9 * mean + 0.1 * grad) + decay * weight)

    def lamb(self, weight: Tensor, grad: Tensor, rate: float, decay: float) -> Tensor:
        step = self.state["t"] = self.state.get("t", 0) + 1
        mean = self.state["m"] = 0.9 * self.state.get("m", 0.0) + 0.1 * grad
        square = self.state["v"] = 0.95 * self.state.get("v", 0.0) + 0.05 * grad**2
        update = (mean / (1 - 0.9**step)) / ((square / (1 - 0.95**step)).sqrt() + 1e-8) + decay * weight
        moved: Tensor = weight - rate * update * weight.norm() / update.norm()
        return moved


TORCHS: dict[str, Callable[[list[Any]], torch.optim.Optimizer]] = {
    "adamw": lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8),
    "fused_adam": lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8),
    "adam": lambda groups: torch.optim.Adam(groups, betas=(0.9, 0.95), eps=1e-8),
    "sgd": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adagrad": lambda groups: torch.optim.Adagrad(groups, eps=1e-8),
}


def groups_of(name: str, model: nn.Module) -> list[dict[str, Any]]:
    """Each weight in its own group, with the decay and the rate that the spec means for it."""
    groups = []
    for key, weight in model.named_parameters():
        decay, scale = (0.1 if weight.dim() > 1 else 0.0), 1.0
        if name.startswith("adamw") and key.endswith("norm.weight"):
            decay, scale = 0.3, 0.5
        elif name.startswith("adamw") and key.startswith("blocks.0."):
            decay = 0.0
        groups.append({"params": [weight], "weight_decay": decay, "scale": scale, "name": key})
    return groups


def is_hidden(name: str) -> bool:
    """Whether Muon updates the weight: the matrices inside the blocks."""
    return ".attention." in name or ".mlp." in name


def stepper(name: str, model: nn.Module) -> Callable[[float], None]:
    """A function that takes one step at a rate."""
    kind, groups = name.partition("-")[0], groups_of(name, model)
    if kind in ("lion", "lamb"):
        rules = [Plain({}) for _ in groups]

        def written_out(rate: float) -> None:
            for rule, group in zip(rules, groups, strict=True):
                [weight] = group["params"]
                weight.data = getattr(rule, kind)(weight.data, weight.grad, rate, group["weight_decay"])

        return written_out
    if kind == "muon":
        hidden = [group for group in groups if is_hidden(group["name"])]
        rest = [group for group in groups if not is_hidden(group["name"])]
        muon = torch.optim.Muon(
            [{key: group[key] for key in ("params", "weight_decay")} for group in hidden],
            momentum=0.95,
            adjust_lr_fn="match_rms_adamw",
        )
        made = [muon, TORCHS["adamw"](rest)]
    else:
        made = [TORCHS[kind](groups)]

    def torchs(rate: float) -> None:
        for optimizer in made:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
            optimizer.step()

    return torchs


def reference(directory: Path, name: str) -> dict[str, Any]:
    """Plain torch in this process, on the samples that both ranks have together."""
    config = load_config(directory / "bundles" / name / "config.py")
    assert config.MODEL.kind == "decoder"
    model = build_model(config.MODEL, config.EXPERIMENT.seed)
    take, health = stepper(name, model), Health()
    seen: dict[str, Any] = {"losses": [], "norms": [], "rates": []}
    size = config.BATCH.global_batch_size
    for step in range(1, STEPS + 1):
        rows = torch.stack([tokens_of(one, config) for one in range((step - 1) * size, step * size)])
        loss = cross_entropy(model(rows[:, :-1]), {"labels": rows[:, 1:]}).mean()
        model.zero_grad()
        loss.backward()
        bound = clipping_bound(config.GRADIENT_HEALTH, step) if config.GRADIENT_HEALTH.enabled else 1.0
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), bound).item()
        rate = learning_rate(config.SCHEDULE, step) * health.rate_scale
        take(rate)
        health = health.after(norm, config.GRADIENT_HEALTH)
        seen["losses"].append(loss.item())
        seen["norms"].append(norm)
        seen["rates"].append(rate)
    seen["weights"] = {key: one.detach().clone() for key, one in model.named_parameters()}
    return seen


pytestmark = [
    pytest.mark.slow,
    pytest.mark.covers(
        "training.optimizer.type",
        "training.optimizer.betas",
        "training.optimizer.eps",
        "training.optimizer.momentum",
        "training.optimizer.weight_decay",
        "training.optimizer.groups",
        "training.optimizer.groups.pattern",
        "training.optimizer.groups.weight_decay",
        "training.optimizer.groups.learning_rate_scale",
        "training.gradient_health.enabled",
        "training.gradient_health.initial_clip_value",
        "training.gradient_health.final_clip_value",
        "training.gradient_health.warmup_steps",
        "training.gradient_health.explosion_threshold",
        "training.gradient_health.auto_reduce_lr",
        "training.gradient_health.lr_reduction_factor",
    ),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices: threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", sorted(CASES))
def test_two_ranks_train_like_one_plain_process(name: str, directory: Path, ranks: list[dict[str, Any]]) -> None:
    mine, other = (rank[name]["seen"] for rank in ranks)
    plain, (losses, norms, weights) = reference(directory, name), TOLERANCES.get(name, (1e-6, 1e-5, 1e-4))
    assert [(a[0] + b[0]) / 2 for a, b in zip(mine, other, strict=True)] == pytest.approx(plain["losses"], rel=losses)
    assert [one[1] for one in mine] == pytest.approx(plain["norms"], rel=norms)
    assert [one[2] for one in mine] == pytest.approx(plain["rates"])
    ours = ranks[0][name]["weights"]
    largest = max(one.abs().max().item() for one in plain["weights"].values())
    apart = torch.cat([(ours[key] - one).abs().flatten() for key, one in plain["weights"].items()]) / largest
    assert (apart > weights).float().mean() <= (1e-3 if name.startswith("lion") else 0)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_resumed_run_goes_on_bit_for_bit(name: str, ranks: list[dict[str, Any]]) -> None:
    assert [rank[name]["resumed"] for rank in ranks] == [True, True]


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_each_explosion_lowers_the_rate_once(stage: int, ranks: list[dict[str, Any]]) -> None:
    """The checkpoint is saved between the second explosion and its lower rate."""
    seen = ranks[0][f"sgd-{stage}"]["seen"]
    assert [one[1] > 0.58 for one in seen[:3]] == [True, False, True]
    assert [one[2] for one in seen[:3]] == pytest.approx([1e-2 / 3, 0.25 * 2e-2 / 3, 0.25 * 1e-2])
    assert seen[3][2] == pytest.approx(0.0625 * 1e-2, rel=0.1)
