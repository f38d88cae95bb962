"""``[parallel]`` and ``[hardware]``: on what the run computes."""

from __future__ import annotations

from typing import Literal

from cfgc.schema.field import Later, Section, logistics, numerics, resources
from cfgc.schema.values import ByteSize, Int, Text

_DATA = Later("parallel", 'leave it at 1; ZeRO partitions the state of large models, `zero = "3"` under `[overlays]`')


class Parallel(Section):
    """How ranks are grouped; what is left is data-parallel."""

    tensor_parallel: Int = resources(
        1,
        "Ranks that share each layer.",
        why="The same products are made by more ranks. Sums round otherwise.",
        unit="ranks",
        ge=1,
        later=_DATA,
    )
    pipeline_parallel: Int = resources(
        1,
        "Groups of consecutive layers.",
        why="The same layers are computed by more ranks.",
        unit="ranks",
        ge=1,
        later=_DATA,
    )
    sequence_parallel: Int = resources(
        1,
        "Ranks that share each sequence.",
        why="The same sequences are computed by more ranks. Sums round otherwise.",
        unit="ranks",
        ge=1,
        later=_DATA,
    )
    expert_parallel: Int = resources(
        1,
        "Ranks that share the experts.",
        why="The same experts are computed by more ranks.",
        unit="ranks",
        ge=1,
        later=_DATA,
    )


class Hardware(Section):
    """Facts of one device and its node; usually an overlay."""

    name: Text = logistics("", "Name of the device, for people.", why="It is a name for people.")
    device: Literal["cuda", "cpu"] = numerics(
        "cuda", "What a rank computes on.", why="Its kernels round otherwise, and its random numbers are others."
    )
    architecture: Literal["unknown", "cpu", "volta", "turing", "ampere", "ada", "hopper", "blackwell"] = resources(
        "unknown",
        "Generation of the device; decides whether bf16 and fp8 exist.",
        why="It is a fact that formats and memory are judged by; a run is given none of it.",
    )
    memory: ByteSize = resources(
        0,
        "Memory of one device; 0 is unknown.",
        why="It is a fact that the plan's memory is judged by.",
        unit="bytes",
        ge=0,
    )
    gpus_per_node_max: Int = resources(
        0,
        "Devices in one node; 0 is unknown.",
        why="It is a fact that the number of ranks is judged by.",
        unit="devices",
        ge=0,
    )
    peak_tflops_bf16: float = resources(
        0.0,
        "Dense bf16 peak of one device; 0 is unknown.",
        why="It is a fact that speed is judged by.",
        unit="TFLOP/s",
        ge=0,
        le=1e6,
    )
