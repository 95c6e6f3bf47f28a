"""How models are trained and measured: everything that decides the numbers, as it is kept in run.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["adam", "sgd"]
Precision = Literal["no", "bf16", "fp16"]

DELTA = 0.99
"""Share of the variance that the eigenspace of the saturation explains (Richter 2022, section 8.1)."""

CROP_PADDING = 4
"""Pixels of zero padding on all edges, of which a random crop is taken in training (Richter 2022, section 11.2)."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is trained.

    The defaults are those of Richter 2022, table 12.

    Attributes:
        epochs: passes over the training set.
        batch_size: images per step, over all devices.
        optimizer: "adam" (betas 0.9 and 0.999, epsilon 1e-8) or "sgd".
        learning_rate: at the beginning.
        momentum: of "sgd".
        weight_decay: factor of the squared norm of the weights.
        decay_every: epochs between reductions of the learning rate; None for a constant one.
        decay_factor: of a reduction.
        augment: whether training images are cropped and flipped at random.
        precision: "no" for float32, "bf16" or "fp16" for mixed precision.
    """

    epochs: int = 60
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-4
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay_every: int | None = None
    decay_factor: float = 0.1
    augment: bool = True
    precision: Precision = "no"


PRESETS: dict[str, Training] = {
    "thesis": Training(),
    "quick": Training(epochs=12, learning_rate=1e-3),
    "table-6": Training(epochs=90, batch_size=64, optimizer="sgd", learning_rate=0.1, decay_every=30),
    "table-7": Training(epochs=30, batch_size=128),
    "table-8": Training(epochs=30, batch_size=64),
    "table-9": Training(epochs=60, batch_size=64, optimizer="sgd", learning_rate=0.1, decay_every=20),
    "table-11": Training(epochs=60, batch_size=64, optimizer="sgd", learning_rate=0.1, decay_every=20),
    "table-12": Training(),
}
"""Settings of the experiments of Richter 2022 by their table, and one for minutes on a CPU."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run does.

    Attributes:
        target: model, as on the command line.
        input_size: channels and image extents, (C, H, W) in pixels.
        data: where the images come from: "digits", "folder:PATH" and so on.
        training: how each model is trained.
        seeds: number of times that each model is trained.
        fixes: names of the fixes whose models are trained besides the original.
        canvas: extent in pixels of the black square on which every image is placed at random; None for the image alone.
        probe_size: positions per axis to which outputs are pooled for probes.
        probe_memory: bytes that features of probes may take in memory; the rest is on disk.
        heatmaps: layers that have a probe at every position.
    """

    target: str
    input_size: tuple[int, ...]
    data: str = "digits"
    training: Training = Training()
    seeds: int = 1
    fixes: tuple[str, ...] = ()
    canvas: int | None = None
    probe_size: int = 4
    probe_memory: int = 2 * 1024**3
    heatmaps: tuple[str, ...] = ()
