"""One rank's training, top to bottom: check the world, seed, data, model, DeepSpeed, resume, loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from cfgc_runtime.checkpoint import Checkpoints
from cfgc_runtime.config import load_config
from cfgc_runtime.corpus import VOCABULARY, Corpus, load_corpus
from cfgc_runtime.engine import Engine, connect
from cfgc_runtime.errors import NO_INPUT, Failure
from cfgc_runtime.loop import Loop, State
from cfgc_runtime.metrics import truncate_metrics
from cfgc_runtime.model import build_model
from cfgc_runtime.progress import Progress, short
from cfgc_runtime.releases import check_releases
from cfgc_runtime.samples import split_samples
from cfgc_runtime.seeding import make_deterministic, seed_rank

if TYPE_CHECKING:
    from pathlib import Path

    from cfgc_runtime.collective import Ranks
    from cfgc_runtime.config import Config
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest
    from cfgc_runtime.world import World


def train(bundle: Path, run: RunDirectory, world: World, stop: StopRequest, screen: TextIO) -> int:
    """Train from the newest checkpoint to the end or to a stop request; the exit code. Raises ``Failure``."""
    config = load_config(bundle / "config.py")
    world.check(config.TOPOLOGY)
    check_releases(config.TARGET)
    _check_vocabulary(config)
    if config.EXPERIMENT.deterministic:
        make_deterministic()
    corpus = load_corpus(config.DATA)
    split = split_samples(len(corpus.tokens), config.DATA, config.BATCH.global_batch_size)
    model = build_model(config.MODEL, config.EXPERIMENT.seed)

    ranks = connect(config.TOPOLOGY, world)
    _check_same_data(ranks, corpus)
    progress = Progress(screen if world.rank == 0 else None, config.EXPERIMENT.name, config.SCHEDULE.max_steps)
    progress.say(_headline(config, corpus))
    engine = Engine(config, bundle / "ds_config.json", model)
    seed_rank(config.EXPERIMENT.seed, world.rank)

    keep_last, stage = config.CHECKPOINT.keep_last, config.ZERO_STAGE
    checkpoints = Checkpoints(run.checkpoints, ranks, config.PLAN_DIGEST, stage, keep_last, progress.say)
    state = _resume(checkpoints, engine, corpus, progress)
    if world.rank == 0:
        truncate_metrics(run.metrics, state.step)
    progress.start(state.step)
    return Loop(config, run, ranks, engine, corpus, split, checkpoints, progress, stop).run(state)


def _check_vocabulary(config: Config) -> None:
    if config.MODEL.vocab_size < VOCABULARY:
        raise Failure(
            NO_INPUT, f"byte tokens need a vocabulary of {VOCABULARY}, the model has {config.MODEL.vocab_size}"
        )


def _check_same_data(ranks: Ranks, corpus: Corpus) -> None:
    found = ranks.gather(corpus.fingerprint)
    for rank, other in enumerate(found):
        if other != found[0]:
            raise Failure(
                NO_INPUT,
                f"rank {rank} reads other data than rank 0: {other.files:,} files of {other.bytes:,} bytes against "
                f"{found[0].files:,} of {found[0].bytes:,}, or other content",
            )


def _resume(checkpoints: Checkpoints, engine: Engine, corpus: Corpus, progress: Progress) -> State:
    """The state to go on from. Raises ``Failure`` when the data is not what the checkpoint was trained on."""
    found = checkpoints.resume(engine)
    if found is None:
        return State(data=corpus.fingerprint.as_json())
    state = State.from_json(found.step, found.state)
    now = corpus.fingerprint.as_json()
    if state.data != now:
        raise Failure(
            NO_INPUT,
            f"the data changed since step {found.step:,} was saved: {state.data['files']:,} files of "
            f"{state.data['bytes']:,} bytes then, {now['files']:,} of {now['bytes']:,} now"
            f"{', with other content' if state.data['bytes'] == now['bytes'] else ''}; "
            "restore it, or start over in a new run directory",
        )
    progress.say(f"resumed from step {found.step:,} (every file's sha256 is right)")
    return state


def _headline(config: Config, corpus: Corpus) -> str:
    topology, data = config.TOPOLOGY, corpus.fingerprint
    return (
        f"{config.EXPERIMENT.name}  {topology.world_size} ranks on {topology.device} · ZeRO-{config.ZERO_STAGE} · "
        f"{config.PRECISION} · {short(config.MODEL.parameters)} parameters · {data.files:,} files, "
        f"{short(data.bytes)} bytes"
    )
