"""The features of all probes, collected in one pass over the images."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rfcheck.errors import VerifyError
from rfcheck.verify.modes import evaluating
from rfcheck.verify.observing import Observer
from rfcheck.verify.probes.pooling import pooled
from rfcheck.verify.probes.storage import LayerFeatures, Writer, not_kept
from rfcheck.verify.progress import SILENT, Progress
from rfcheck.verify.training.outputs import logits as scores

if TYPE_CHECKING:
    from rfcheck.verify.saturation.tracker import SaturationTracker

Pooling = Callable[[str, nn.Module, Tensor, int], Tensor]
"""Makes features, float32 (images, F), of a layer's name, module and output, and the number of images."""


class Collected:
    """The features of layers for every image, in the order of the images.

    Args:
        features: by the name of the layer.
        labels: int64 (N,), on the CPU.
        logits: of the model; float32 (N, classes), on the CPU.
        memory: bytes that the features may take in memory, and a probe's working copy again.
        files: that hold features, deleted by `close`.
    """

    def __init__(
        self, features: dict[str, LayerFeatures], labels: Tensor, logits: Tensor, memory: int, files: Sequence[Path] = ()
    ) -> None:
        self._features = features
        self._files = tuple(files)
        self.labels = labels
        self.logits = logits
        self.memory = memory

    def features(self, layer: str) -> LayerFeatures:
        """What is known of a layer."""
        return self._features[layer]

    @property
    def not_finite(self) -> dict[str, int]:
        """Images for which a layer put out NaN or infinity, by the name of the layer; layers without any are left out."""
        counts = {layer: int(features.not_finite.sum()) for layer, features in self._features.items()}
        return {layer: count for layer, count in counts.items() if count}

    def close(self) -> None:
        """Forget the features and delete their files."""
        self._features.clear()
        delete(self._files)

    def __enter__(self) -> Collected:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


class Collector:
    """Makes features of what layers put out, and keeps them in memory while there is room.

    Args:
        pooling: makes features of an output.
        count: images in all.
        memory: bytes that features may take; those of layers that do not fit are kept in files.
        folder: for these files; created when needed.
    """

    def __init__(self, pooling: Pooling, count: int, memory: int, folder: Path) -> None:
        self._pooling = pooling
        self._count = count
        self._room = memory
        self._folder = folder
        self.writers: dict[str, Writer] = {}
        self.files: list[Path] = []
        self.images = 0

    def receive(self, layer: str, module: nn.Module, output: Tensor) -> None:
        """Keep what a layer puts out for a batch of `images`."""
        features = self._pooling(layer, module, output, self.images)
        if layer not in self.writers:
            self.writers[layer] = Writer(features, self._count, self._place(2 * self._count * features.shape[1]))
        self.writers[layer].add(features)

    def _place(self, needed: int) -> Path | None:
        """A new file for so many bytes; None if memory has room for them."""
        if needed <= self._room:
            self._room -= needed
            return None
        path = self._folder / f"features-{len(self.files)}.float16"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise not_kept(path, error, needed) from error
        self.files.append(path)
        return path


def collect(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    layers: Sequence[str],
    *,
    count: int,
    size: int = 4,
    memory: int,
    folder: Path,
    tracker: SaturationTracker | None = None,
    progress: Progress = SILENT,
) -> Collected:
    """Run a model over images and keep what its layers put out, averaged to at most ``size`` positions per axis.

    The model is in evaluation mode meanwhile; its modes are given back.

    Args:
        model: on the device of the batches.
        batches: images (n, C, H, W) and labels (n,); each batch is run once.
        layers: names of those to keep.
        count: images in all batches.
        size: positions per axis.
        memory: bytes that features may take in memory or on the device; the rest is on disk.
        folder: for features that do not fit; deleted with them when nothing else is in it.
        tracker: of saturation, which observes the same pass.
        progress: is told of every batch.

    Raises:
        VerifyError: if a layer does not exist or does not run in evaluation mode, if features cannot be written, or if an output
            cannot be told apart by image; no file is left.
    """

    def pooling(layer: str, module: nn.Module, output: Tensor, images: int) -> Tensor:
        return pooled(layer, module, output, images, size)

    return collect_with(
        pooling, model, batches, layers, count=count, memory=memory, folder=folder, tracker=tracker, progress=progress
    )


def collect_with(
    pooling: Pooling,
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    layers: Sequence[str],
    *,
    count: int,
    memory: int,
    folder: Path,
    tracker: SaturationTracker | None = None,
    progress: Progress = SILENT,
) -> Collected:
    """Run a model over images and keep what ``pooling`` makes of its layers' outputs; else like `collect`."""
    collector = Collector(pooling, count, memory, folder)
    labels: list[Tensor] = []
    logits: list[Tensor] = []
    try:
        with evaluating(model), torch.no_grad(), tracker or contextlib.nullcontext(), Observer(model, collector.receive, layers):
            for images, wanted in batches:
                if not labels:
                    progress.stage("features", -(-count // len(images)))
                collector.images = len(images)
                logits.append(scores(model(images)).float())
                labels.append(wanted)
                _require_all(layers, collector)
                progress.step()
        features = {layer: collector.writers[layer].finish() for layer in layers}
        return Collected(features, torch.cat(labels).cpu(), torch.cat(logits).cpu(), memory, collector.files)
    except BaseException:
        delete(collector.files)
        raise


def delete(files: Iterable[Path]) -> None:
    """Delete files that may be there, and their folder when it is empty."""
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()
            file.parent.rmdir()


def _require_all(layers: Sequence[str], collector: Collector) -> None:
    """Raise unless every layer has put something out."""
    for layer in layers:
        if layer not in collector.writers:
            raise VerifyError(f"layer {layer!r} puts nothing out in evaluation mode; call it there as in training mode")
