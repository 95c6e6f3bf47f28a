"""The epochs of a training, each kept before the next begins."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from rfcheck.errors import RfcheckError
from rfcheck.verify.data.batches import batch_count, evaluation_batches, training_batches
from rfcheck.verify.records import Epoch
from rfcheck.verify.saturation.spectrum import mean_saturation
from rfcheck.verify.saturation.tracker import SaturationTracker
from rfcheck.verify.training import failures
from rfcheck.verify.training.checkpoint import Checkpoint, Identity, Past, finished, fitting, restore, save_checkpoint, take
from rfcheck.verify.training.evaluation import evaluate
from rfcheck.verify.training.metrics import metrics_in
from rfcheck.verify.training.optimizing import make_optimizer, make_schedule
from rfcheck.verify.training.randomness import seed_everything
from rfcheck.verify.training.steps import Learner, train_pass

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.optim.lr_scheduler import StepLR

    from rfcheck.verify.data.prepared import Prepared
    from rfcheck.verify.progress import Progress
    from rfcheck.verify.recipe import Training

CHECKPOINT = "checkpoint.pt"

LOG_INTERVAL = 4
"""Every so many steps, outputs count for the saturation of an epoch; in the last epoch, all do."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be trained, and how.

    Attributes:
        data: on the device.
        training: settings.
        seed: of everything random.
        layers: whose saturation is measured.
        delta: share of the variance that the saturation explains.
        folder: of checkpoint and metrics.
        progress: takes note of each step.
        identity: of the training, for its checkpoint.
    """

    data: Prepared
    training: Training
    seed: int
    layers: tuple[str, ...]
    delta: float
    folder: Path
    progress: Progress
    identity: Identity


def train_epochs(
    model: nn.Module, saved: Checkpoint | None, task: Task, accelerator: Accelerator, *, tensorboard: bool
) -> tuple[Past, ...]:
    """Train until the last epoch.

    Args:
        model: with its first weights, on the device of the accelerator.
        saved: where to go on; None to begin.
        task: what to do.
        accelerator: that prepares model and optimizer; its first process writes.
        tensorboard: whether to write events besides lines of JSON.

    Returns:
        All epochs, those before the saved state included.

    Raises:
        TrainingError: if training cannot go on; everything up to the last whole epoch is kept.
    """
    steps = batch_count(task.data, batch_size=task.training.batch_size, world=accelerator.num_processes)
    optimizer = make_optimizer(model, task.training)
    schedule = make_schedule(optimizer, task.training)
    prepared, stepper = accelerator.prepare(model, optimizer)
    learner = Learner(prepared, stepper, accelerator)
    past = saved.past if saved else ()
    if saved:
        with fitting(task.folder / CHECKPOINT):
            restore(saved, model, learner, schedule)
    task.progress.stage("training", steps * (task.training.epochs - len(past)))
    try:
        writing = metrics_in(task.folder, past, tensorboard=tensorboard) if accelerator.is_main_process else nullcontext()
        with writing as metrics:
            while len(past) < task.training.epochs:
                following = (*past, _explained(model, learner, schedule, task, past))
                schedule.step()
                if metrics is not None:
                    metrics.add(following[-1])
                    state = take(model, learner, schedule, following)
                    kept = finished(state) if len(following) == task.training.epochs else state
                    save_checkpoint(task.folder / CHECKPOINT, kept, task.identity)
                accelerator.wait_for_everyone()
                past = following
    except OSError as error:
        raise failures.not_written(task.folder, error, len(past)) from error
    learner.optimizer.zero_grad()
    return past


def _explained(model: nn.Module, learner: Learner, schedule: StepLR, task: Task, past: tuple[Past, ...]) -> Past:
    """The next epoch, or the reason why there is none."""
    number, rate = len(past) + 1, schedule.get_last_lr()[0]
    try:
        return _epoch(model, learner, float(rate), task, past)
    except failures.LossNotFiniteError as error:
        raise failures.loss_not_finite(error, model, number, float(rate), task.training.precision) from None
    except RfcheckError:
        raise
    except Exception as error:
        if not failures.is_out_of_memory(error):
            if failures.is_of_model(error, model):
                raise failures.step_failed(error, model, number) from error
            raise
    # outside of the handler, whose error keeps the memory of the failed step
    alone = learner.accelerator.num_processes == 1
    fits = failures.largest_fitting(lambda size: _try_step(learner, task, size), task.training.batch_size) if alone else None
    raise failures.out_of_memory(learner.accelerator.device, number, task.training.batch_size, fits)


def _epoch(model: nn.Module, learner: Learner, rate: float, task: Task, past: tuple[Past, ...]) -> Past:
    """Train on every image once, then validate."""
    start, number, training = time.perf_counter(), len(past) + 1, task.training
    rank, world = learner.accelerator.process_index, learner.accelerator.num_processes
    seed_everything(task.seed, number, rank)
    batches = training_batches(task.data, batch_size=training.batch_size, seed=task.seed, epoch=number, rank=rank, world=world)
    interval = LOG_INTERVAL if number < training.epochs else 1
    tracker = SaturationTracker(model, task.delta, layers=task.layers, log_interval=interval)
    with tracker:
        tally = train_pass(learner, batches, _sizes(task, world), _teller(task, past))
    failures.require_no_divergence(tally.losses(), len(task.data.classes), number, rate)
    saturation = tracker.results("train")
    mean = mean_saturation(layer.saturation for layer in saturation)
    validation = evaluate(
        model,
        evaluation_batches(task.data, "validation", batch_size=training.batch_size),
        rank=rank,
        world=world,
    )
    epoch = Epoch(
        number=number,
        train_loss=tally.mean_loss(),
        train_accuracy=tally.accuracy(),
        validation_loss=validation.loss,
        validation_accuracy=validation.accuracy,
        learning_rate=rate,
        saturation=None if math.isnan(mean) else mean,
        seconds=time.perf_counter() - start,
    )
    return Past(epoch, saturation)


def _sizes(task: Task, world: int) -> list[int]:
    """Images of each batch of an epoch, over all processes."""
    size, images = task.training.batch_size, len(task.data.train)
    return [min(size, images - step * size) for step in range(batch_count(task.data, batch_size=size, world=world))]


def _teller(task: Task, past: tuple[Past, ...]) -> Callable[[float], None]:
    """Tells of each step, with what the epoch before led to."""
    before = ""
    if past:
        epoch = past[-1].epoch
        before = f", validation {100 * epoch.validation_accuracy:.1f}%"
        if epoch.saturation is not None:
            before += f", saturation {epoch.saturation:.2f}"

    def tell(accuracy: float) -> None:
        task.progress.step(f"epoch {len(past) + 1} of {task.training.epochs}: accuracy {100 * accuracy:.1f}%{before}")

    return tell


def _try_step(learner: Learner, task: Task, size: int) -> None:
    """Make a step with so many images, to see whether memory suffices; the weights in memory are not used again."""
    learner.optimizer.zero_grad()
    gc.collect()
    if learner.accelerator.device.type == "cuda":
        torch.cuda.empty_cache()
    images, labels = next(evaluation_batches(task.data, "train", batch_size=size))
    loss, _ = learner.look(images, labels, len(labels))
    learner.learn(loss)
