"""What was measured of one model, in one file, so that a run that goes on need not measure it again."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rfcheck.verify.records import Epoch, LayerSaturation, Measurement, Probe
from rfcheck.verify.writing import write_file

VERSION = 1


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
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            plain = json.loads(str(file["measured"]))
            correct, bits = file["correct"], file["probes"]
        return _measurement(plain, correct, bits) if plain.pop("version") == VERSION else None
    except Exception:  # a damaged archive fails in zlib, in the tokenizer, and in whatever else numpy reads its headers with
        return None


def _measurement(plain: dict[str, Any], correct: Any, bits: Any) -> Measurement:
    return Measurement(
        variant=plain["variant"],
        seed=plain["seed"],
        epochs=tuple(Epoch(**epoch) for epoch in plain["epochs"]),
        saturation={mode: tuple(LayerSaturation(**layer) for layer in layers) for mode, layers in plain["saturation"].items()},
        probes=tuple(Probe(**probe, correct=row) for probe, row in zip(plain["probes"], bits, strict=True)),
        correct=correct,
        seconds_per_image=plain["seconds_per_image"],
    )
