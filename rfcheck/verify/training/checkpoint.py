"""The state of a training at the end of an epoch, in one file that is replaced at once.

The random numbers of an epoch follow from the seed and its number, and covariances begin anew with each epoch, so that
neither has a state at its end; what came of the covariances is kept.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rfcheck.errors import TrainingError
from rfcheck.plain_file import require_plain
from rfcheck.replacing import replace_file
from rfcheck.verify.reading_back import made
from rfcheck.verify.records import Epoch, LayerSaturation

if TYPE_CHECKING:
    from torch import nn
    from torch.optim.lr_scheduler import StepLR

    from rfcheck.verify.training.steps import Learner

VERSION = 1

Identity = dict[str, Any]
"""What a training is: settings, seed, model and data, by name; equal where a training may go on."""


@dataclass(frozen=True, slots=True)
class Past:
    """An epoch that is over.

    Attributes:
        epoch: how it went.
        saturation: of its training outputs, of every measured layer in execution order.
    """

    epoch: Epoch
    saturation: tuple[LayerSaturation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes:
        past: the epochs that are over, in order.
        model: its state_dict.
        optimizer: likewise.
        schedule: likewise.
        scaler: likewise, of the loss in fp16; None otherwise.
    """

    past: tuple[Past, ...]
    model: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    scaler: dict[str, Any] | None


def take(model: nn.Module, learner: Learner, schedule: StepLR, past: tuple[Past, ...]) -> Checkpoint:
    """The state as it is now, sharing its tensors.

    Args:
        model: as it was built.
        learner: that trains it.
        schedule: of its learning rate.
        past: the epochs that are over.
    """
    scaler = learner.accelerator.scaler
    return Checkpoint(
        past,
        model.state_dict(),
        learner.optimizer.state_dict(),
        schedule.state_dict(),
        None if scaler is None else scaler.state_dict(),
    )


def finished(checkpoint: Checkpoint) -> Checkpoint:
    """The state after the last epoch: without what only a next one would need, two thirds of the bytes with Adam."""
    return replace(checkpoint, optimizer={}, schedule={}, scaler=None)


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Bring back what a file holds, or say that it does not fit.

    Raises:
        TrainingError: for whatever is raised inside; names the file.
    """
    try:
        yield
    except Exception as error:  # any, as what was read may be anything
        raise TrainingError(
            f"{path}: does not fit this training ({_first_line(error)}); delete it to train this model anew"
        ) from error


def restore(checkpoint: Checkpoint, model: nn.Module, learner: Learner, schedule: StepLR) -> None:
    """Bring back a state; arguments as of `take`.

    Raises:
        Exception: whatever torch raises where it does not fit.
    """
    own = schedule.state_dict(), learner.optimizer.state_dict()["param_groups"]
    if not _is_like((checkpoint.schedule, checkpoint.optimizer["param_groups"]), own):
        raise ValueError("the state of the optimizer is none of this one")
    model.load_state_dict(checkpoint.model)
    learner.optimizer.load_state_dict(checkpoint.optimizer)
    schedule.load_state_dict(checkpoint.schedule)
    if checkpoint.scaler is not None:
        learner.accelerator.scaler.load_state_dict(checkpoint.scaler)


def _is_like(found: Any, own: Any) -> bool:
    """Whether a state has the parts of another one, of the same types."""
    if isinstance(own, dict):
        return isinstance(found, dict) and found.keys() == own.keys() and all(_is_like(found[name], own[name]) for name in own)
    if isinstance(own, (list, tuple)):
        return type(found) is type(own) and len(found) == len(own) and all(map(_is_like, found, own))
    return type(found) is type(own) or (isinstance(found, (int, float)) and isinstance(own, (int, float)))


def save_checkpoint(path: Path, checkpoint: Checkpoint, identity: Identity) -> None:
    """Replace the checkpoint of the epoch before; being killed or losing power at any moment leaves one of both.

    Raises:
        OSError: if it cannot be written; the one before then stays.
    """
    parts = {name: getattr(checkpoint, name) for name in ("model", "optimizer", "schedule", "scaler")}
    past = [{"epoch": asdict(part.epoch), "saturation": [asdict(layer) for layer in part.saturation]} for part in checkpoint.past]
    buffer = io.BytesIO()
    torch.save({"version": VERSION, "identity": identity, "past": past, **parts}, buffer)
    replace_file(path, buffer.getvalue(), durable=True)


def load_checkpoint(path: Path, identity: Identity) -> Checkpoint | None:
    """The state at the end of the last epoch, on the CPU; None if no epoch is over.

    Raises:
        TrainingError: if the file cannot be read, or belongs to a training with another identity; names what differs.
    """
    try:
        _require_own_kind(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["version"] == VERSION:
            checkpoint, found = _checkpoint(content), content["identity"]
    except FileNotFoundError:
        return None
    except Exception as error:  # any, as what is read may be anything
        raise TrainingError(
            f"{path}: cannot be read as a checkpoint ({_first_line(error)}); delete it to train this model anew"
        ) from error
    if content["version"] != VERSION:
        raise TrainingError(f"{path}: was written by another version of rfcheck; delete it to train this model anew")
    _require_same(path, found, identity)
    return checkpoint


def _require_own_kind(path: Path) -> None:
    """Refuse what takes more memory than room on the disk: torch packs nothing."""
    require_plain(path)
    with zipfile.ZipFile(path) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise ValueError("it is packed")


def _checkpoint(content: dict[str, Any]) -> Checkpoint:
    past = tuple(
        Past(made(Epoch, part["epoch"]), tuple(made(LayerSaturation, layer) for layer in part["saturation"]))
        for part in content["past"]
    )
    if [part.epoch.number for part in past] != list(range(1, len(past) + 1)) or not isinstance(content["identity"], dict):
        raise ValueError("it holds no training")
    return Checkpoint(past, content["model"], content["optimizer"], content["schedule"], content["scaler"])


def _require_same(path: Path, found: Identity, identity: Identity) -> None:
    differing = [name for name in identity if found.get(name) != identity[name]]
    if not differing:
        return
    name = differing[0]
    both = f"{found.get(name)} there and {identity[name]} here"
    details = both if len(both) < 100 else "which is not the same there and here"
    raise TrainingError(
        f"{path}: belongs to another training, with {name} {details}; go on as it began, or begin a new run in another folder"
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
