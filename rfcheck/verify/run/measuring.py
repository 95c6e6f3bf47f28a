"""Train one model with one seed and measure it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rfcheck.verify.progress import Named
from rfcheck.verify.records import Measurement
from rfcheck.verify.run.processes import rank, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import nn

    from rfcheck.verify.data.batches import Split
    from rfcheck.verify.data.prepared import Prepared
    from rfcheck.verify.probes.features import Collected
    from rfcheck.verify.progress import Progress
    from rfcheck.verify.recipe import Recipe
    from rfcheck.verify.run.folder import RunFolder
    from rfcheck.verify.run.planning import PlannedModel
    from rfcheck.verify.saturation.tracker import SaturationTracker
    from rfcheck.verify.training.loop import Trained

MEASURING_BATCH = 256
"""Images per forward pass of what is measured after training."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all models of a run have in common.

    Attributes:
        recipe: what is done.
        data: on the device.
        device: on which to train.
        folder: of the run.
        tensorboard: whether metrics are also kept as TensorBoard reads them.
        progress: takes note of what is done.
    """

    recipe: Recipe
    data: Prepared
    device: torch.device
    folder: RunFolder
    tensorboard: bool
    progress: Progress


def chance(data: Prepared) -> float:
    """Share of the test images that a model labels right which always names the most frequent class."""
    return float(data.test.labels.bincount().max()) / len(data.test)


def trained(planned: PlannedModel, seed: int, bench: Bench) -> Trained:
    """A model after training, from its folder where it was trained already."""
    from rfcheck.verify.recipe import DELTA
    from rfcheck.verify.training.loop import train

    return train(
        planned.build,
        bench.data,
        bench.recipe.training,
        seed=seed,
        folder=bench.folder.model(planned.variant.name, seed),
        layers=[layer.name for layer in planned.variant.layers],
        delta=DELTA,
        device=bench.device,
        tensorboard=bench.tensorboard,
        progress=bench.progress,
    )


def measure(planned: PlannedModel, seed: int, bench: Bench) -> Measurement:
    """A model's accuracy, saturation and probes after training; from its file where it was measured already."""
    from rfcheck.verify.run.measurement_file import read_measurement, write_measurement

    file = bench.folder.model(planned.variant.name, seed) / "measurement.npz"
    known = read_measurement(file)
    if known is not None and _is_of(known, planned, seed, bench):
        return known
    if rank() != 0:
        trained(planned, seed, bench)
        return wait_for(lambda: read_measurement(file))
    measured = _measured(planned, seed, bench)
    write_measurement(file, measured)
    return measured


def _is_of(known: Measurement, planned: PlannedModel, seed: int, bench: Bench) -> bool:
    """Whether a file holds what would be measured now: of this model and seed, of these layers and images."""
    layers = [layer.name for layer in planned.variant.layers]
    measured = [[probe.layer for probe in known.probes]]
    measured += [[one.layer for one in group] for group in known.saturation.values()]
    same = (known.variant, known.seed, len(known.correct)) == (planned.variant.name, seed, len(bench.data.test))
    return same and all(names == layers for names in measured)


def _measured(planned: PlannedModel, seed: int, bench: Bench) -> Measurement:
    from rfcheck.verify.data.batches import evaluation_batches
    from rfcheck.verify.probes.probing import train_probes
    from rfcheck.verify.recipe import DELTA
    from rfcheck.verify.run.timing import seconds_per_image
    from rfcheck.verify.saturation.tracker import SaturationTracker

    bench = replace(bench, progress=Named(f"{planned.variant.name}, seed {seed}", bench.progress))
    result = trained(planned, seed, bench)
    names = [layer.name for layer in planned.variant.layers]
    folder = bench.folder.model(planned.variant.name, seed)
    scratch = folder / "features"
    tracker = SaturationTracker(result.model, DELTA, layers=names)

    train = _collected(result.model, "train", names, scratch, bench)
    test = _collected(result.model, "test", names, scratch, bench, tracker)
    try:
        probes = train_probes(
            train, test, names, len(bench.data.classes), folder=folder / "probes", device=bench.device, progress=bench.progress
        )
        correct = (test.logits.argmax(1) == test.labels).cpu().numpy()
    finally:
        train.close()
        test.close()
        shutil.rmtree(scratch, ignore_errors=True)
    images, _ = next(iter(evaluation_batches(bench.data, "test", batch_size=bench.recipe.training.batch_size)))
    return Measurement(
        variant=planned.variant.name,
        seed=seed,
        epochs=result.epochs,
        saturation={"train": result.saturation, "eval": tracker.results("eval", shared=False)},
        probes=probes,
        correct=correct,
        seconds_per_image=seconds_per_image(result.model, images),
    )


def _collected(
    model: nn.Module, split: Split, names: list[str], scratch: Path, bench: Bench, tracker: SaturationTracker | None = None
) -> Collected:
    from rfcheck.verify.data.batches import evaluation_batches
    from rfcheck.verify.probes.features import collect

    return collect(
        model,
        evaluation_batches(bench.data, split, batch_size=MEASURING_BATCH),
        names,
        count=len(getattr(bench.data, split)),
        size=bench.recipe.probe_size,
        memory=bench.recipe.probe_memory // 2,
        folder=scratch / split,
        tracker=tracker,
        progress=Named("training images" if split == "train" else "test images", bench.progress),
    )
