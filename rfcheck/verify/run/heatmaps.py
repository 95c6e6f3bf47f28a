"""Heatmaps of the original's first seed, each kept when it is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.errors import VerifyError
from rfcheck.suggestions import did_you_mean
from rfcheck.verify.records import Heatmap
from rfcheck.verify.run.measuring import MEASURING_BATCH, Bench, trained
from rfcheck.verify.verdict.sentences import listed
from rfcheck.verify.writing import layer_file_name, write_file

if TYPE_CHECKING:
    from torch import nn

    from rfcheck.verify.run.planning import PlannedModel


def require_layers(names: tuple[str, ...], planned: PlannedModel) -> None:
    """Refuse layers that have no feature map.

    Raises:
        VerifyError: naming the near ones.
    """
    layers = [layer.name for layer in planned.variant.layers if layer.kind == "conv"]
    for name in names:
        if name not in layers:
            hint = did_you_mean(name, layers, f"there are {listed(layers)}", 3)
            raise VerifyError(f"--heatmap {name}: no such convolution; {hint}")


def heatmaps(planned: PlannedModel, model_accuracy: float, bench: Bench) -> tuple[Heatmap, ...]:
    """The heatmaps that the recipe asks for.

    Args:
        planned: the original.
        model_accuracy: of its first seed on the test images.
        bench: of the run.

    Raises:
        VerifyError: if a layer's output has no heatmap, or the disk is full; heatmaps that are made stay.
    """
    folder = bench.folder.model(planned.variant.name, 0) / "heatmaps"
    missing = [layer for layer in bench.recipe.heatmaps if _kept(folder, layer) is None]
    if missing:
        model = trained(planned, 0, bench).model
        for layer in missing:
            _keep(folder, _made(model, layer, folder / "features", model_accuracy, bench))
    return tuple(kept for layer in bench.recipe.heatmaps if (kept := _kept(folder, layer)) is not None)


def _made(model: nn.Module, layer: str, scratch: Path, model_accuracy: float, bench: Bench) -> Heatmap:
    from rfcheck.verify.data.batches import evaluation_batches
    from rfcheck.verify.probes.heatmap import heatmap

    try:
        return heatmap(
            model,
            evaluation_batches(bench.data, "train", batch_size=MEASURING_BATCH),
            evaluation_batches(bench.data, "test", batch_size=MEASURING_BATCH),
            layer,
            counts=(len(bench.data.train), len(bench.data.test)),
            model_accuracy=model_accuracy,
            classes=len(bench.data.classes),
            memory=bench.recipe.probe_memory,
            folder=scratch,
            device=bench.device,
            progress=bench.progress,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _keep(folder: Path, made: Heatmap) -> None:
    write_file(folder / layer_file_name(made.layer), json.dumps({"layer": made.layer, "relative": made.relative}).encode())


def _kept(folder: Path, layer: str) -> Heatmap | None:
    try:
        values = json.loads((folder / layer_file_name(layer)).read_text(encoding="utf-8"))
        return Heatmap(values["layer"], tuple(tuple(row) for row in values["relative"])) if values["layer"] == layer else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
