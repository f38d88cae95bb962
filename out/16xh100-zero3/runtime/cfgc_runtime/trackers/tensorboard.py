"""TensorBoard event files, written by torch's own writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cfgc_runtime.trackers.tracker import numbers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.tensorboard.writer import SummaryWriter

    from cfgc_runtime.trackers.tracker import Subject

_FLUSH_S = 10


class TensorBoard:
    """One file an attempt, which holds all attempts before it too and replaces theirs on the screen."""

    title = "TensorBoard"

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._writer: SummaryWriter | None = None

    def open(self, step: int) -> None:
        """Write a file with the hyperparameters and all that was recorded up to ``step``."""
        from torch.utils.tensorboard.summary import hparams
        from torch.utils.tensorboard.writer import SummaryWriter

        directory = self._subject.directory / "tensorboard"
        writer = SummaryWriter(str(directory), purge_step=1 if directory.exists() else None, flush_secs=_FLUSH_S)
        file: Any = writer.file_writer
        make: Any = hparams
        for summary in make(_flat(self._subject.spec), {"loss": 0.0, "eval_loss": 0.0}):
            file.add_summary(summary)
        self._writer = writer
        for line in self._subject.lines_until(step):
            self.log(line)

    def log(self, line: Mapping[str, Any]) -> None:
        """A scalar for each metric, in one event: a line is there whole, or it is tried again."""
        from tensorboard.compat.proto import summary_pb2
        from torch.utils.tensorboard.summary import scalar

        assert self._writer is not None, "it was opened"
        make, proto = cast("Any", scalar), cast("Any", summary_pb2)
        values = [one for key, value in numbers_of(line).items() for one in make(key, value).value]
        file: Any = self._writer.file_writer
        file.add_summary(proto.Summary(value=values), line["step"], line.get("time"))

    def close(self, code: int) -> None:
        """Write what is held."""
        if self._writer is not None:
            self._writer.close()


def _flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """TensorBoard's hyperparameters are numbers, truth values and texts."""
    return {key: value if isinstance(value, (bool, int, float, str)) else str(value) for key, value in spec.items()}
