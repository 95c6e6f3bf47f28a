"""Models whose probes, saturation and accuracies are as a test says, without training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rfcheck.analysis.layers import Layer
from rfcheck.config import Settings
from rfcheck.linting.finding import Finding
from rfcheck.verify.conclusions import Judgement
from rfcheck.verify.recipe import Training
from rfcheck.verify.records import LayerSaturation, Measurement, Probe, Variant
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.judging import judge

TAIL = Finding("RF101", "unproductive-tail", "warning", "a tail", "2", ("truncate", "truncate-before"))


def layer(name: str, *, judged: bool = True, in_tail: bool = False, features: int = 10) -> Layer:
    """A convolution, or the linear layer of a head."""
    return Layer(
        name=name,
        kind="conv" if judged else "linear",
        role="features" if judged else "head",
        module_type="Conv2d" if judged else "Linear",
        kernel=None,
        stride=None,
        dilation=None,
        padding=None,
        groups=None,
        in_channels=10,
        out_channels=features,
        in_size=(8, 8),
        out_size=(8, 8),
        jump=None,
        r_min=None,
        r_max=None,
        r_in_min=None,
        r_in_max=None,
        live_taps=None,
        flops=1,
        params=1,
        judged=judged,
        productive=not in_tail if judged else None,
        in_tail=in_tail,
        source=("model.py", int(name) + 1) if name.isdigit() else None,
    )


def variant(probes: int, border: str | None = None, findings: Sequence[Finding] = (), name: str = "original") -> Variant:
    """A chain of convolutions "0", "1" and so on with a head behind it; the tail reaches from the border to the last convolution."""
    tail = range(probes) if border is None else range(int(border), probes)
    layers = tuple(layer(str(i), in_tail=border is not None and i in tail) for i in range(probes))
    return Variant(name, "", (*layers, layer("head", judged=False)), border, tuple(findings), 1, 1)


def labels(accuracy: float, images: int = 10_000, flips: float = 0.0, seed: int = 0) -> np.ndarray:
    """Which labels are right: the first ones, so that better models know all that worse ones do; some exchanged at random."""
    right = np.arange(images) < round(accuracy * images)
    generator = np.random.default_rng(seed)
    wrong, known = generator.permutation(np.flatnonzero(~right)), generator.permutation(np.flatnonzero(right))
    count = min(round(flips * images), len(wrong), len(known))
    right[wrong[:count]], right[known[:count]] = True, False
    return right


def measurement(
    probes: Sequence[float | np.ndarray],
    saturation: Sequence[float] = (),
    accuracy: float | np.ndarray = 0.9,
    *,
    name: str = "original",
    seed: int = 0,
    images: int = 10_000,
) -> Measurement:
    """What would have been measured: one probe and one saturation a layer."""
    spectra = tuple(LayerSaturation(str(i), 10, 100, 1, value, 1.0, 1.0) for i, value in enumerate(saturation))
    correct = [one if isinstance(one, np.ndarray) else labels(one, images) for one in (*probes, accuracy)]
    fitted = tuple(Probe(str(i), 10, 0.1, 0.9, one) for i, one in enumerate(correct[:-1]))
    return Measurement(name, seed, (), {"train": spectra, "eval": spectra}, fitted, correct[-1], 0.001)


def chain_of(layers: Sequence[str]) -> Flow:
    """A flow where every layer reads the one before it, and any may be passed by."""
    before: list[tuple[str, ...]] = [(), *((name,) for name in layers)]
    return Flow(dict(zip(layers, before, strict=False)), frozenset(layers))


def judged(
    variants: Sequence[Variant],
    measurements: Sequence[Measurement],
    settings: Settings | None = None,
    *,
    flow: Flow | None = None,
    chance: float = 0.1,
) -> Judgement:
    """`judge` for a network at 8 px, a chain unless told otherwise, and a long training."""
    return judge(
        variants,
        measurements,
        settings=settings or Settings(),
        training=Training(),
        input_size=(8, 8),
        name="Net",
        flow=flow or chain_of([layer.name for layer in variants[0].layers]),
        chance=chance,
    )
