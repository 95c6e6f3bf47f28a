"""Numbers of every epoch as other programs read them: a file of JSON lines, and TensorBoard's events."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.replacing import replace_file
from rfcheck.verify.plain import known

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from rfcheck.verify.training.checkpoint import Past

LINES = "metrics.jsonl"
EVENTS = "tensorboard"


class Metrics:
    """Writes down each epoch once; made by `metrics_in`."""

    def __init__(self, path: Path, writer: SummaryWriter | None) -> None:
        self._path = path
        self._writer = writer

    def add(self, past: Past) -> None:
        """Write down an epoch.

        Raises:
            OSError: if it cannot be written.
        """
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line(past))
        if self._writer is not None:
            _add_events(self._writer, past)
            self._writer.flush()


@contextmanager
def metrics_in(folder: Path, past: Sequence[Past], *, tensorboard: bool) -> Iterator[Metrics]:
    """Begin to write, or go on after some epochs: what is there of later ones is removed.

    Args:
        folder: for `metrics.jsonl` and, below, `tensorboard`.
        past: epochs that are over.
        tensorboard: whether to write events, too.

    Raises:
        OSError: if they cannot be written.
    """
    path = folder / LINES
    replace_file(path, "".join(line(part) for part in past).encode())
    shutil.rmtree(folder / EVENTS, ignore_errors=True)
    writer = None
    if tensorboard:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(folder / EVENTS))
        for part in past:
            _add_events(writer, part)
    try:
        yield Metrics(path, writer)
    finally:
        if writer is not None:
            writer.close()


def line(past: Past) -> str:
    """An epoch as a line of JSON; null where a number is not finite."""
    epoch = past.epoch
    content = {
        "epoch": epoch.number,
        "train_loss": known(epoch.train_loss),
        "train_accuracy": epoch.train_accuracy,
        "validation_loss": known(epoch.validation_loss),
        "validation_accuracy": epoch.validation_accuracy,
        "learning_rate": epoch.learning_rate,
        "s_mu": known(epoch.saturation),
        "saturation": {layer.layer: known(layer.saturation) for layer in past.saturation},
        "seconds": round(epoch.seconds, 3),
    }
    return json.dumps(content, allow_nan=False) + "\n"


def _add_events(writer: SummaryWriter, past: Past) -> None:
    epoch = past.epoch
    scalars = {
        "loss/train": epoch.train_loss,
        "loss/validation": epoch.validation_loss,
        "accuracy/train": epoch.train_accuracy,
        "accuracy/validation": epoch.validation_accuracy,
        "learning_rate": epoch.learning_rate,
    }
    if epoch.saturation is not None:
        scalars["saturation/mean"] = epoch.saturation
    scalars |= {f"saturation/{layer.layer}": layer.saturation for layer in past.saturation}
    for name, value in scalars.items():
        writer.add_scalar(name, value, epoch.number)
