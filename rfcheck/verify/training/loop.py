"""Training of one model from its first weights to its last epoch, in as many goes as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from rfcheck.verify.progress import SILENT, Progress
from rfcheck.verify.records import Epoch, LayerSaturation
from rfcheck.verify.training import failures
from rfcheck.verify.training.checkpoint import fitting, load_checkpoint
from rfcheck.verify.training.devices import accelerated, clean_afterwards
from rfcheck.verify.training.epochs import CHECKPOINT, Task, train_epochs
from rfcheck.verify.training.identity import identity_of
from rfcheck.verify.training.outputs import require_head
from rfcheck.verify.training.randomness import deterministic, seed_everything
from rfcheck.verify.writing import remove_leftovers

if TYPE_CHECKING:
    from rfcheck.verify.data.prepared import Prepared
    from rfcheck.verify.recipe import Training


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model after its last epoch.

    Attributes:
        model: as it was built, with the weights learnt, on the device, in evaluation mode.
        epochs: how training went.
        saturation: of the training outputs in the last epoch, of every layer in execution order.
    """

    model: nn.Module
    epochs: tuple[Epoch, ...]
    saturation: tuple[LayerSaturation, ...]


def train(
    build: Callable[[], nn.Module],
    data: Prepared,
    training: Training,
    *,
    seed: int,
    folder: Path,
    layers: Sequence[str],
    delta: float,
    device: torch.device | str,
    tensorboard: bool,
    progress: Progress,
) -> Trained:
    """Train a model, or go on where an earlier call for the same folder was interrupted, or load what it finished.

    After every epoch, the folder has the state and a line of metrics. On a CPU and with the same number of threads, the
    numbers do not depend on interruptions. Where several processes were started, as by torchrun, all must call this; they share
    each batch, and the first one writes.

    Args:
        build: makes the model; called with the random numbers of the seed.
        data: images; those for testing are not read.
        training: how.
        seed: of initial weights, order, augmentation and dropout.
        folder: for this model alone; made if missing.
        layers: whose saturation is measured.
        delta: share of the variance that the saturation explains.
        device: to train on.
        tensorboard: whether metrics are also kept as TensorBoard reads them.
        progress: takes note of each step.

    Returns:
        The model and how training went; random states, threads and settings of the process are as they were before.

    Raises:
        TrainingError: if training cannot go on; names the reason, what is kept and the remedy.
    """
    with ExitStack() as stack:
        accelerator = stack.enter_context(accelerated(training.precision, device))
        stack.enter_context(deterministic())
        main = accelerator.is_main_process
        if main:
            _prepare_folder(folder)
        data = data.to(accelerator.device)
        seed_everything(seed, 0)
        model = build().to(accelerator.device)
        require_head(model, data)
        identity = identity_of(model, data, training, seed=seed, layers=layers, delta=delta)
        saved = load_checkpoint(folder / CHECKPOINT, identity)
        past = saved.past if saved else ()
        if saved and len(past) == training.epochs:
            with fitting(folder / CHECKPOINT):
                model.load_state_dict(saved.model)
        else:
            stack.enter_context(clean_afterwards(model))
            task = Task(data, training, seed, tuple(layers), delta, folder, progress if main else SILENT, identity)
            past = train_epochs(model, saved, task, accelerator, tensorboard=tensorboard and main)
    return Trained(model.eval(), tuple(part.epoch for part in past), past[-1].saturation)


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    except OSError as error:
        raise failures.not_written(folder, error, 0) from error
