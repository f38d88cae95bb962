"""Plans made by hand, so that emission is tested alone."""

from __future__ import annotations

from dataclasses import replace

from cfgc.load.graph import Input
from cfgc.lower.plan import (
    Batch,
    Checkpoint,
    Container,
    Data,
    EarlyStopping,
    Estimate,
    Evaluation,
    Experiment,
    GradientHealth,
    Launch,
    Mixing,
    Mlflow,
    Model,
    NodePath,
    Optimizer,
    Penalties,
    Plan,
    Provenance,
    Review,
    Schedule,
    Slurm,
    Source,
    Streaming,
    Target,
    Tokenizer,
    Topology,
    Tracking,
    Wandb,
)

HOSTILE = (
    "plain",
    "it's",
    'say "hi"',
    "a b\tc",
    "$HOME `id` $(id)",
    "back\\slash",
    "new\nline",
    "{{ jinja }} {% raw %}",
    "${training.seed}",
    "; rm -rf / #",
    "héllo ✓ \u202e",
    "-n --help",
    "*?[a]~!",
    "",
)
"""Strings that a careless emitter breaks on."""


def tiny_model() -> Model:
    return Model(
        kind="decoder",
        vocab_size=256,
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        num_kv_heads=2,
        head_dim=16,
        intermediate_size=192,
        max_sequence_length=128,
        activation="swiglu",
        norm_eps=1e-5,
        rope_theta=10000.0,
        tie_embeddings=True,
        attention="sdpa",
        attention_dropout=0.0,
        hidden_dropout=0.0,
        initializer_range=0.02,
        activation_checkpointing=False,
        parameters=114_944,
    )


def text_source(name: str, path: NodePath, include: tuple[str, ...], exclude: tuple[str, ...] = ()) -> Source:
    """A source of text files."""
    names = ("text", "prompt", "completion", "messages")
    return Source(name, path, include, exclude, "text", "train", names[0], "text", *names[1:], "train")


def cpu_plan() -> Plan:
    """Two CPU ranks on one machine, ZeRO-2."""
    wandb = Wandb(False, "online", "quickstart", "", "", "")
    mlflow = Mlflow(False, "", "quickstart", "")
    return Plan(
        experiment=Experiment("quickstart", "A small decoder on two CPU ranks.", ("demo",), 42, True),
        target=Target("0.19.8", "2.13.0", "22.05"),
        topology=Topology("cpu", "any CPU", "cpu", 0, 1, 2, 2, 2, 1, 1, 1, "gloo", 1800),
        batch=Batch(16, 4, 2, 2048),
        schedule=Schedule("cosine", 200, 20, 1e-3, 1e-4, 409_600),
        precision="bf16",
        zero_stage=2,
        compile=False,
        work="train",
        weights=NodePath("cwd", "", "."),
        model=tiny_model(),
        optimizer=Optimizer("adamw", (0.9, 0.95), 1e-8, 0.0, 0.1, False, 1.0),
        data=cpu_data(),
        evaluation=Evaluation(50, 4, 8, True),
        early_stopping=EarlyStopping(0, 0.0),
        gradient_health=GradientHealth(False, 2.0, 1.0, 0, 5.0, True, 0.5),
        penalties=Penalties(0.0, 0.0, 0, 0.0),
        checkpoint=Checkpoint(100, 3, 0, False, "refuse", 1_700_000),
        tracking=Tracking(10, "info", False, False, wandb, mlflow, 1_000_000, 0.0),
        calls=(),
        launch=cpu_launch(),
        slurm=cpu_slurm(),
        estimate=Estimate(229_888, 229_888, 689_664, 0, 700_000, 48.0, 0, 0.0),
        ds_config={
            "train_batch_size": 16,
            "train_micro_batch_size_per_gpu": 4,
            "gradient_accumulation_steps": 2,
            "gradient_clipping": 1.0,
            "bf16": {"enabled": True},
            "zero_optimization": {"stage": 2, "overlap_comm": False, "reduce_bucket_size": 500_000_000},
            "optimizer": {"type": "AdamW", "params": {"lr": 1e-3, "betas": [0.9, 0.95], "torch_adam": True}},
        },
        review=cpu_review(),
    )


def cpu_data() -> Data:
    return Data(
        sources=(text_source("stdlib", NodePath("stdlib", "", "."), ("*.py",), ("test/*", "site-packages/*")),),
        target="",
        tokenizer=Tokenizer("bytes", NodePath("cwd", "", "."), "", ""),
        max_bad_records=0,
        sequence_length=128,
        eval_fraction=0.01,
        shuffle=True,
        shuffle_seed=42,
        reshuffle_each_epoch=True,
        max_train_samples=0,
        max_eval_samples=0,
        packing=True,
        padding_side="right",
        pad_to="longest",
        truncation=True,
        chat_template="",
        num_workers=0,
        pin_memory=False,
        prefetch_factor=2,
        persistent_workers=False,
        mixing=Mixing("none", (), 1.0),
        streaming=Streaming(False, 1),
    )


def cpu_launch() -> Launch:
    return Launch(
        run_dir=NodePath("cwd", "", "runs/quickstart"),
        python="python3",
        launcher="torchrun",
        master_port=0,
        threads_per_rank=1,
        time_limit_s=86_400,
        signal_lead_s=300,
        max_attempts=5,
        shutdown_grace_s=300,
        watchdog_s=900,
        restart=False,
        restart_delay_s=30,
        environment={"TOKENIZERS_PARALLELISM": "false"},
        required=(),
        limits=(),
        cpu_binding="none",
        ops=(),
        ops_cache=NodePath("absolute", "", "/tmp"),
    )


def cpu_slurm() -> Slurm:
    return Slurm(
        cluster="",
        directives=(
            ("job-name", "quickstart"),
            ("nodes", "1"),
            ("ntasks-per-node", "1"),
            ("cpus-per-task", "2"),
            ("time", "1-00:00:00"),
            ("signal", "B:USR2@300"),
            ("open-mode", "append"),
            ("requeue", ""),
        ),
        modules=(),
        tasks_per_node=1,
        cpus_per_task=2,
        memory_mib=0,
        requeue=True,
        chain=False,
        container=Container("none", "", (), False),
        exports=(),
        log_dir=NodePath("cwd", "", "."),
        max_array_size=0,
    )


def cpu_review() -> Review:
    spec = "spec specs/examples/quickstart.toml"
    rows: tuple[tuple[str, object, str], ...] = (
        ("experiment.name", "quickstart", spec),
        ("experiment.seed", 42, "default"),
        ("training.global_batch_size", 16, spec),
        ("training.micro_batch_size", 4, "overlay zero=2, over base cfgc:bases/tiny.toml (8)"),
        ("training.gradient_accumulation_steps", 2, "derived: 16 / (4 × 2)"),
        ("training.learning_rate", 1e-3, "command line, over base cfgc:bases/tiny.toml (0.0003)"),
        ("training.optimizer.betas", [0.9, 0.95], "default"),
        ("data.sources", [{"name": "stdlib", "path": {"stdlib": True, "path": "."}, "include": ["*.py"]}], spec),
        ("data.shuffle", True, "default"),
        ("deepspeed.zero.reduce_bucket_size", 500_000_000, "default"),
    )
    return Review(
        provenance=tuple(Provenance(tuple(key.split(".")), value, comment) for key, value, comment in rows),
        inputs=(Input("cfgc:bases/tiny.toml", "ab" * 32), Input("specs/examples/quickstart.toml", "cd" * 32)),
        root="specs/examples/quickstart.toml",
        overlays=(("hardware", "cpu"), ("zero", "2")),
        overrides=("training.learning_rate=1e-3",),
        raw_keys=(),
        raw_reason="",
        waivers=(),
    )


def cluster_plan() -> Plan:
    """Two nodes of eight H100, ZeRO-3, node paths from the environment."""
    plan = cpu_plan()
    sources = (
        text_source("web", NodePath("env", "CORPUS", "web/train"), ("*.txt", "*.jsonl")),
        text_source("books", NodePath("absolute", "", "/data/books"), ("*.txt",)),
    )
    return replace(
        plan,
        experiment=Experiment("16xh100-zero3", "Two nodes.", (), 7, False),
        topology=Topology("cuda", "H100-80GB", "hopper", 80 * 2**30, 2, 8, 16, 16, 1, 1, 1, "nccl", 1800),
        batch=Batch(512, 8, 4, 1_048_576),
        schedule=Schedule("cosine", 40_000, 2000, 3e-4, 3e-5, 41_943_040_000),
        zero_stage=3,
        compile=True,
        data=replace(plan.data, sources=sources, sequence_length=2048),
        checkpoint=Checkpoint(1000, 3, 0, False, "refuse", 1_700_000_000),
        launch=replace(
            plan.launch,
            run_dir=NodePath("env", "SCRATCH", "runs/16xh100-zero3"),
            master_port=0,
            threads_per_rank=8,
            required=("WANDB_API_KEY",),
        ),
        slurm=Slurm(
            cluster="Alpine",
            directives=(
                ("job-name", "16xh100-zero3"),
                ("nodes", "2"),
                ("ntasks-per-node", "1"),
                ("gpus-per-node", "8"),
                ("cpus-per-task", "64"),
                ("time", "1-00:00:00"),
                ("signal", "B:USR2@300"),
                ("open-mode", "append"),
                ("requeue", ""),
            ),
            modules=("cuda/12.4",),
            tasks_per_node=1,
            cpus_per_task=64,
            memory_mib=0,
            requeue=True,
            chain=False,
            container=Container("none", "", (), False),
            exports=(),
            log_dir=NodePath("cwd", "", "."),
            max_array_size=0,
        ),
        estimate=Estimate(15_555_000, 15_555_000, 93_330_000, 85_899_345_920, 750_000_000, 384.0, 0, 989.0),
        review=replace(
            plan.review,
            waivers=(("CFG431", "the cluster has spare memory"),),
            raw_keys=("zero_optimization.round_robin_gradients",),
            raw_reason="measured 4 % faster",
        ),
    )


def hostile_plan() -> Plan:
    """Every free string of the plan is one that shells, TOML or Markdown could misread."""
    plan = cpu_plan()
    rows = tuple(Provenance(("env", "variables", f"V{i}"), text, "spec a.toml") for i, text in enumerate(HOSTILE))
    source = text_source("it's", NodePath("absolute", "", "/data/$HOME/a b"), ("*'.txt",), ('"x"',))
    return replace(
        plan,
        experiment=replace(plan.experiment, description=HOSTILE[4] + HOSTILE[2], tags=HOSTILE),
        data=replace(plan.data, sources=(source,)),
        launch=replace(
            plan.launch,
            python="/opt/my python/bin/python3",
            run_dir=NodePath("absolute", "", "/tmp/it's $HOME/`run`"),
            environment={f"V{i}": text for i, text in enumerate(HOSTILE)},
        ),
        review=replace(plan.review, provenance=rows),
    )
