"""What was measured of one model, in one file, so that a run that goes on need not measure it again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from rfcheck.plain_file import read_plain
from rfcheck.verify.reading_back import made
from rfcheck.verify.records import Epoch, LayerSaturation, Measurement, Mode, Probe
from rfcheck.verify.writing import write_file

VERSION = 1

_LARGEST = 2**29
"""Bytes of a file, and of what it holds: the answers of five hundred layers to a million images."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands once in a measurement."""

    variant: str
    seed: int
    seconds_per_image: float


@dataclass(frozen=True, slots=True)
class _ProbeHead:
    """A probe without its answers."""

    layer: str
    features: int
    l2: float
    train_accuracy: float


def write_measurement(path: Path, measured: Measurement) -> None:
    """Write a measurement, whole or not at all.

    Raises:
        VerifyError: if it cannot be written.
    """
    import numpy as np

    plain = {
        "version": VERSION,
        "variant": measured.variant,
        "seed": measured.seed,
        "seconds_per_image": measured.seconds_per_image,
        "epochs": [asdict(epoch) for epoch in measured.epochs],
        "saturation": {mode: [asdict(layer) for layer in layers] for mode, layers in measured.saturation.items()},
        "probes": [_plain_probe(probe) for probe in measured.probes],
    }
    stream = io.BytesIO()
    bits = [np.asarray(probe.correct, bool) for probe in measured.probes]
    np.savez_compressed(stream, measured=json.dumps(plain), correct=measured.correct, probes=_stacked(bits))
    write_file(path, stream.getvalue())


def _plain_probe(probe: Probe) -> dict[str, Any]:
    return {"layer": probe.layer, "features": probe.features, "l2": probe.l2, "train_accuracy": probe.train_accuracy}


def _stacked(bits: Sequence[Any]) -> Any:
    import numpy as np

    return np.stack(bits) if bits else np.zeros((0, 0), bool)


def read_measurement(path: Path) -> Measurement | None:
    """A measurement; None if there is none, or not a whole one."""
    import numpy as np

    try:
        content = io.BytesIO(read_plain(path, _LARGEST))
        with zipfile.ZipFile(content) as archive:
            if sum(part.file_size for part in archive.infolist()) > _LARGEST:
                return None
        with np.load(content, allow_pickle=False) as file:
            plain = json.loads(str(file["measured"]))
            correct, bits = file["correct"], file["probes"]
        return _measurement(plain, correct, bits) if plain.pop("version") == VERSION else None
    except Exception:  # a damaged archive fails in zlib, in the tokenizer, and in whatever else numpy reads its headers with
        return None


def _measurement(plain: dict[str, Any], correct: Any, bits: Any) -> Measurement:
    head = made(_Head, {name: plain[name] for name in ("variant", "seed", "seconds_per_image")})
    if correct.dtype != bool or correct.ndim != 1 or bits.dtype != bool or (len(bits) and bits.shape[1:] != correct.shape):
        raise ValueError("answers are true or false, for the same images")
    return Measurement(
        variant=head.variant,
        seed=head.seed,
        epochs=tuple(made(Epoch, epoch) for epoch in plain["epochs"]),
        saturation={mode: tuple(made(LayerSaturation, layer) for layer in plain["saturation"][mode]) for mode in get_args(Mode)},
        probes=tuple(
            Probe(**asdict(made(_ProbeHead, probe)), correct=row) for probe, row in zip(plain["probes"], bits, strict=True)
        ),
        correct=correct,
        seconds_per_image=head.seconds_per_image,
    )
