from __future__ import annotations

import numpy as np
import pytest
import torch

from rfcheck.config import Settings
from rfcheck.errors import VerifyError
from rfcheck.verify.data.prepared import prepare
from rfcheck.verify.data.sources import load_dataset
from rfcheck.verify.probes.features import collect
from rfcheck.verify.probes.probing import train_probes
from rfcheck.verify.progress import Silent
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.run.folder import RunFolder
from rfcheck.verify.run.heatmaps import heatmaps, require_layers
from rfcheck.verify.run.measuring import Bench, trained
from rfcheck.verify.run.planning import plan_run

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, 8, 1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.stem(x)).mean((2, 3)))
"""


@pytest.fixture
def bench(model_file, tmp_path):
    model_file(NET)
    recipe = Recipe("model.py:Net", (1, 16, 16), training=Training(epochs=1, learning_rate=1e-2), heatmaps=("stem",))
    data = prepare(load_dataset("digits"), recipe.input_size)
    return Bench(recipe, data, torch.device("cpu"), RunFolder(tmp_path), False, Silent())


def original(bench):
    return plan_run(bench.recipe, Settings(channels=1)).models[0]


def test_only_convolutions_have_heatmaps(bench):
    require_layers(("stem",), original(bench))
    with pytest.raises(VerifyError) as caught:
        require_layers(("fc",), original(bench))
    assert str(caught.value) == "--heatmap fc: no such convolution; there are stem"
    with pytest.raises(VerifyError) as caught:
        require_layers(("stm",), original(bench))
    assert str(caught.value) == "--heatmap stm: no such convolution; did you mean stem?"


def test_a_heatmap_is_made_once(bench, tmp_path):
    planned = original(bench)
    (first,) = heatmaps(planned, 0.5, bench)
    assert first.layer == "stem"
    assert np.shape(first.relative) == (2, 2)
    (kept,) = (tmp_path / "models" / "original" / "seed-0" / "heatmaps").iterdir()
    kept.write_text(kept.read_text().replace(str(first.relative[0][0]), "0.125"))
    (again,) = heatmaps(planned, 0.5, bench)
    assert again.relative[0] == (0.125, first.relative[0][1])
    kept.write_text("{")
    assert heatmaps(planned, 0.5, bench) == (first,)
    assert list(kept.parent.iterdir()) == [kept]


def test_a_map_of_one_position_is_the_probe_of_the_layer(bench, tmp_path):
    """The heatmap of a 1x1 map and the layer's probe read the same numbers."""
    from dataclasses import replace

    from rfcheck.verify.data.batches import evaluation_batches

    small = replace(bench, recipe=replace(bench.recipe, input_size=(1, 8, 8)), data=prepare(load_dataset("digits"), (1, 8, 8)))
    planned = original(small)
    ((relative,),) = heatmaps(planned, 1.0, small)[0].relative
    model = trained(planned, 0, small).model

    def collected(split):
        batches = evaluation_batches(small.data, split, batch_size=100)
        images = getattr(small.data, split)
        return collect(model, batches, ["stem"], count=len(images), memory=2**30, folder=tmp_path / split)

    (probe,) = train_probes(collected("train"), collected("test"), ["stem"], 10, folder=tmp_path / "p", device=small.device)
    assert relative == pytest.approx(probe.test_accuracy, abs=0.005)
