"""``[parallel]`` and ``[hardware]``: on what the run computes."""

from __future__ import annotations

from typing import Literal

from cfgc.schema.field import Later, Section, numerics, resources
from cfgc.schema.values import ByteSize, Int, Text

_DATA = Later("parallel", 'leave it at 1; ZeRO partitions the state of large models, `zero = "3"` under `[overlays]`')


class Parallel(Section):
    """How ranks are grouped; what is left is data-parallel."""

    tensor_parallel: Int = resources(1, "Ranks that share each layer.", unit="ranks", ge=1, later=_DATA)
    pipeline_parallel: Int = resources(1, "Groups of consecutive layers.", unit="ranks", ge=1, later=_DATA)
    sequence_parallel: Int = resources(1, "Ranks that share each sequence.", unit="ranks", ge=1, later=_DATA)
    expert_parallel: Int = resources(1, "Ranks that share the experts.", unit="ranks", ge=1, later=_DATA)


class Hardware(Section):
    """Facts of one device and its node; usually an overlay."""

    name: Text = resources("", "Name of the device, for people.")
    device: Literal["cuda", "cpu"] = numerics("cuda", "What a rank computes on.")
    architecture: Literal["unknown", "cpu", "volta", "turing", "ampere", "ada", "hopper", "blackwell"] = resources(
        "unknown", "Generation of the device; decides whether bf16 and fp8 exist."
    )
    memory: ByteSize = resources(0, "Memory of one device; 0 is unknown.", unit="bytes", ge=0)
    gpus_per_node_max: Int = resources(0, "Devices in one node; 0 is unknown.", unit="devices", ge=0)
    peak_tflops_bf16: float = resources(
        0.0, "Dense bf16 peak of one device; 0 is unknown.", unit="TFLOP/s", ge=0, le=1e6
    )
