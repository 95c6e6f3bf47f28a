"""What is trained and measured: plain values that the rooms of verify hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    from rfcheck.analysis.layers import Layer
    from rfcheck.linting.finding import Finding

Mode = Literal["train", "eval"]
"""Whether a model's layers are observed while it is in training or in evaluation mode."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value with the interval that holds the true one with 95% confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LayerSaturation:
    """How much of its feature space a layer's outputs fill.

    Attributes:
        layer: name.
        features: channels of a convolution, units of a linear or LSTM layer.
        samples: observations behind it: positions of feature maps, over all images.
        dimension: smallest number of principal directions that explain the share delta of the variance.
        saturation: s_l = dimension / features; nan where outputs were not finite.
        trace: total variance of the outputs.
        effective_rank: exp of the entropy of the normalised eigenvalues.
        not_finite: observations left out because they held NaN or infinity.

    Source: Richter 2022, section 8.1.
    """

    layer: str
    features: int
    samples: int
    dimension: int
    saturation: float
    trace: float
    effective_rank: float
    not_finite: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A logistic regression on a layer's pooled output.

    Attributes:
        layer: name.
        features: numbers per image that it reads.
        l2: strength of its regularisation: the factor of half the squared norm of the weights, beside the mean cross-entropy.
        train_accuracy: share of the training images that it labels right.
        correct: for every test image, in order, whether its label is right; bool (N,).

    Source: Richter 2022, sections 4.3 and 8.3.
    """

    layer: str
    features: int
    l2: float
    train_accuracy: float
    correct: np.ndarray

    @property
    def test_accuracy(self) -> float:
        """Share of the test images whose label is right."""
        return float(self.correct.mean())


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training set, and what it led to.

    Attributes:
        number: 1 for the first.
        train_loss: mean cross-entropy over the batches as they were trained on.
        train_accuracy: share of right labels in these.
        validation_loss: mean cross-entropy on the validation split afterwards.
        validation_accuracy: share of right labels there.
        learning_rate: that held during the epoch.
        saturation: s_mu of the training outputs; None where not observed.
        seconds: that the epoch took, the validation included.
    """

    number: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    saturation: float | None
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One model, trained once.

    Attributes:
        variant: "original", or the name of the fix.
        seed: of initial weights, order and augmentation.
        epochs: how training went.
        saturation: per mode, of every measured layer in execution order; "train" of the last epoch, "eval" of the test images.
        probes: of every measured layer in execution order.
        correct: for every test image, in order, whether the model's own label is right; bool (N,).
        seconds_per_image: of a forward pass in evaluation mode.
    """

    variant: str
    seed: int
    epochs: tuple[Epoch, ...]
    saturation: dict[Mode, tuple[LayerSaturation, ...]]
    probes: tuple[Probe, ...]
    correct: np.ndarray
    seconds_per_image: float

    @property
    def test_accuracy(self) -> float:
        """Share of the test images that the model labels right."""
        return float(self.correct.mean())


@dataclass(frozen=True, slots=True)
class Variant:
    """A model that is trained: the original, or with a fix carried out.

    Attributes:
        name: "original", or the name of the fix.
        description: of the fix, one sentence; empty for the original.
        layers: that are measured, in execution order: convolutions and linear layers made by modules, those in gates left out.
        border: name of b_min; None without a tail.
        findings: of the linter.
        flops: multiply-accumulates per image.
        params: parameters.
        unmeasured: layers whose outputs come from no module, or cannot be told apart by image.
    """

    name: str
    description: str
    layers: tuple[Layer, ...]
    border: str | None
    findings: tuple[Finding, ...]
    flops: int
    params: int
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Accuracy of a probe at every position of a feature map, relative to that of the model.

    Attributes:
        layer: name.
        relative: per row, then per column.

    Source: Richter 2022, section 9.3, figure 54.
    """

    layer: str
    relative: tuple[tuple[float, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Images per split."""

    train: int
    validation: int
    test: int
