"""One rank's training, top to bottom: check the world, data, model, meet the others, DeepSpeed, seed, resume, loop."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TextIO

from cfgc_runtime.checkpoints.saving import Checkpoints
from cfgc_runtime.checkpoints.weights import first_weights
from cfgc_runtime.config import load_config
from cfgc_runtime.data.feed import load_feed
from cfgc_runtime.data.files import amount_of, changed, changed_since
from cfgc_runtime.data.user_feed import load_user_feed
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.judging import Judging
from cfgc_runtime.loop import Loop
from cfgc_runtime.models.attention import check_attention
from cfgc_runtime.models.building import model_of
from cfgc_runtime.models.fitting import check_fit
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.models.penalties import with_penalties
from cfgc_runtime.own_code import own_loss
from cfgc_runtime.preflight.devices import check_device
from cfgc_runtime.preflight.meeting import meet
from cfgc_runtime.progress import short
from cfgc_runtime.pulse import BUILDING, CONNECTING, PREPARING, READING
from cfgc_runtime.recording import record_world
from cfgc_runtime.releases import check_releases
from cfgc_runtime.reporting import open_reporter
from cfgc_runtime.seeding import make_deterministic, seed_rank
from cfgc_runtime.state import State
from cfgc_runtime.values import read_values
from cfgc_runtime.wiring import describe_modules, load_wiring

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.data.feed import Contents, Feed
    from cfgc_runtime.pulse import Pulse
    from cfgc_runtime.reporting import Reporter
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest
    from cfgc_runtime.world import World


def train(bundle: Path, run: RunDirectory, world: World, stop: StopRequest, screen: TextIO, pulse: Pulse) -> int:
    """Train from the newest checkpoint to the end or to a stop request; the exit code. Raises ``Failure``."""
    config = load_config(bundle / "config.py")
    world.check(config.TOPOLOGY)
    check_releases(config.TARGET)
    of_device = check_device(config, world)
    if config.EXPERIMENT.deterministic:
        make_deterministic()
    pulse.enter(READING)
    reporter = open_reporter(config, run, world, screen)
    wiring = load_wiring(bundle)
    feed: Feed
    if wiring.build_data:
        feed = load_user_feed(config, world, wiring.build_data)
    else:
        feed = load_feed(config, run, world, lambda: stop.requested, reporter.say)
    pulse.enter(BUILDING)
    model = model_of(config, wiring)
    check_fit(model, feed.vocabulary, config.DATA.sequence_length)

    pulse.enter(CONNECTING)
    arrived = time.monotonic()
    ranks = connect(config.TOPOLOGY, world)
    warnings = meet(ranks, arrived, of_device)
    pulse.enter(PREPARING)
    _check_same_data(ranks, feed.fingerprint)
    record_world(config, run, ranks, describe_modules(wiring), reporter.say)
    reporter.say(_headline(config, model, feed.fingerprint))
    for line in warnings:
        reporter.say(line, "warning")
    source = first_weights(config, run, model, ranks)
    if source:
        reporter.say(f"weights of {source.path} (step {source.found.step:,})")
    check_attention(config.MODEL, config.PRECISION, ranks.device)
    loss = own_loss(wiring.loss) if wiring.loss else cross_entropy
    objective = with_penalties(loss, config.PENALTIES, feed.end)
    engine = Engine(config, bundle / "ds_config.json", model, loss, wiring, objective)
    seed_rank(config.EXPERIMENT.seed, world.rank)
    if config.WORK == "evaluate":
        assert source is not None, "the plan of an evaluation names weights"
        judging = Judging(config, run, ranks, engine, feed, source, reporter, stop, pulse)
        return reporter.follow(judging.run, source.found.step)

    warn = partial(reporter.say, level="warning")
    checkpoints = Checkpoints(run.checkpoints, ranks, config, read_values(bundle), warn)
    state = _resume(checkpoints, engine, feed.fingerprint, reporter)
    loop = Loop(config, run, ranks, engine, feed, checkpoints, reporter, stop, pulse)
    return reporter.follow(partial(loop.run, state), state.step)


def _check_same_data(ranks: Ranks, fingerprint: Contents) -> None:
    found = ranks.gather(fingerprint)
    for rank, other in enumerate(found):
        if other != found[0]:
            raise Failure(
                NO_INPUT,
                f"rank {rank} reads other data than rank 0: {amount_of(other.as_json())} against "
                f"{amount_of(found[0].as_json())}, or other content",
            )


def _resume(checkpoints: Checkpoints, engine: Engine, fingerprint: Contents, reporter: Reporter) -> State:
    """The state to go on from. Raises ``Failure`` when the data is not what the checkpoint was trained on."""
    found = checkpoints.resume(engine)
    if found is None:
        return State(data=fingerprint.as_json())
    state = State.from_json(found.step, found.state)
    now = fingerprint.as_json()
    if state.data != now:
        what = changed_since(found.step, state.data, now)
        if checkpoints.config.CHECKPOINT.on_changed_numerics == "refuse":
            raise changed(what)
        reporter.say(what, "warning")
    reporter.say(f"resumed from step {found.step:,} (every file's sha256 is right)")
    return replace(state, data=now)


def _headline(config: Config, model: nn.Module, data: Contents) -> str:
    topology = config.TOPOLOGY
    parameters = config.MODEL.parameters or sum(parameter.numel() for parameter in model.parameters())
    ranks = "1 rank" if topology.world_size == 1 else f"{topology.world_size} ranks"
    return (
        f"{config.EXPERIMENT.name}  {ranks} on {topology.device} · ZeRO-{config.ZERO_STAGE} · "
        f"{config.PRECISION} · {short(parameters)} parameters · "
        f"{amount_of(data.as_json())}"
    )
