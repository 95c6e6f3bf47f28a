"""A probe at every position of a feature map: where on the map how much of the answer is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.features import Collected, collect_with
from rfcheck.verify.probes.pooling import at_positions, channels_first
from rfcheck.verify.probes.probing import correct
from rfcheck.verify.probes.selection import select_and_fit
from rfcheck.verify.probes.standardising import standard
from rfcheck.verify.probes.storage import LayerFeatures
from rfcheck.verify.progress import SILENT, Named, Progress
from rfcheck.verify.records import Heatmap

Batches = Iterable[tuple[Tensor, Tensor]]


def heatmap(
    model: nn.Module,
    train_batches: Batches,
    test_batches: Batches,
    layer: str,
    *,
    model_accuracy: float,
    classes: int,
    counts: tuple[int, int],
    memory: int,
    folder: Path,
    device: torch.device,
    progress: Progress = SILENT,
) -> Heatmap:
    """Train a probe at every position of a layer's feature map, and compare its accuracy with that of the model.

    Positions are taken in groups, whose probes are trained together.

    Args:
        model: on the device of the batches.
        train_batches: images (n, C, H, W) and labels (n,).
        test_batches: the same of the test images.
        layer: name of a layer with one or two image axes; a map with one axis, or tokens, becomes a single row.
        model_accuracy: share of the test images that the model labels right; where it is zero, the map is nan.
        classes: number.
        counts: images in the two sets of batches.
        memory: bytes that the maps of both may take in memory, and the groups again; the rest is on disk.
        folder: for maps that do not fit; nothing stays there.
        device: to compute on.
        progress: is told of every batch and every position.

    Raises:
        VerifyError: if the layer does not exist, does not run, has no positions or more than two axes, or puts out NaN or infinity;
            if features cannot be written.

    Source: Richter 2022, section 9.3, figure 54.
    """
    extents: set[tuple[int, ...]] = set()

    def pooling(name: str, module: nn.Module, output: Tensor, images: int) -> Tensor:
        features = channels_first(name, module, output, images)
        extents.add(_extents(name, features))
        return at_positions(features)

    shared = memory // 2
    own = Named(f"heatmap {layer}", progress)
    of_train, of_test = Named("training images", own), Named("test images", own)
    with (
        collect_with(
            pooling, model, train_batches, [layer], count=counts[0], memory=shared, folder=folder / "train", progress=of_train
        ) as train,
        collect_with(
            pooling, model, test_batches, [layer], count=counts[1], memory=shared, folder=folder / "test", progress=of_test
        ) as test,
    ):
        (rows, columns), *others = extents
        if others or train.not_finite or test.not_finite:
            reason = "maps of several sizes" if others else "NaN or infinity"
            raise VerifyError(f"layer {layer!r} puts out {reason}, so that there is no heatmap of it; choose another layer")
        accuracies = _accuracies(train, test, layer, rows * columns, classes, device, own)
    relative = (accuracies / model_accuracy if model_accuracy else torch.full_like(accuracies, math.nan)).reshape(rows, columns)
    return Heatmap(layer, tuple(tuple(row) for row in relative.tolist()))


def _extents(layer: str, features: Tensor) -> tuple[int, int]:
    """Rows and columns of a map (images, channels, *positions)."""
    extents = tuple(features.shape[2:])
    if not 1 <= len(extents) <= 2:
        axes = "no positions" if not extents else f"{len(extents)} image axes"
        raise VerifyError(f"layer {layer!r} has {axes}, so that there is no heatmap of it; name a layer with a feature map")
    return (1, extents[0]) if len(extents) == 1 else (extents[0], extents[1])


def _accuracies(
    train: Collected, test: Collected, layer: str, positions: int, classes: int, device: torch.device, progress: Progress
) -> Tensor:
    """Share of the test images that the probe at each position labels right; float64 (positions,)."""
    progress.stage("probes", positions)
    features = train.features(layer)
    per_position = 4 * features.values.numel() // positions
    accuracies = []
    for group in _groups(positions, max(1, train.memory // max(1, per_position))):
        values, own = _at(features, positions, group)
        measured = standard(values, own)
        _, fitted = select_and_fit(measured.design(values, own, device, train.memory), train.labels, classes)
        values, own = _at(test.features(layer), positions, group)
        logits = measured.design(values, own, device, test.memory).logits(fitted.weights)
        accuracies.append(correct(logits, test.labels).double().mean(dim=1))
        for _ in range(len(values)):
            progress.step()
    return torch.cat(accuracies)


def _groups(positions: int, size: int) -> Iterator[slice]:
    """Neighbouring positions, in groups of at most ``size``."""
    for start in range(0, positions, size):
        yield slice(start, min(start + size, positions))


def _at(features: LayerFeatures, positions: int, group: slice) -> tuple[Tensor, LayerFeatures]:
    """Values (P, N, C) of some positions, and the features with the units of these alone."""
    values = features.values.reshape(len(features.values), positions, -1)[:, group].transpose(0, 1).contiguous()
    scale, shift = (units.reshape(positions, -1)[group] for units in (features.scale, features.shift))
    return values, LayerFeatures(values, scale, shift, features.not_finite)
