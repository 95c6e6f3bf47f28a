from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.features import collect
from rfcheck.verify.probes.heatmap import heatmap
from rfcheck.verify.probes.probing import train_probes
from tests.verify.told import Told

from .networks import batches, digits, network

CPU = torch.device("cpu")
COUNTS = (400, 300)


def mapped(model, layer, folder, *, memory=2**30, accuracy=1.0, counts=COUNTS, **options):
    train, test = digits(counts[0]), digits(counts[1], 1000)
    return heatmap(
        model,
        batches(*train),
        batches(*test),
        layer,
        model_accuracy=accuracy,
        classes=10,
        counts=counts,
        memory=memory,
        folder=folder,
        device=CPU,
        **options,
    )


class Crop(nn.Module):
    """One position of a map alone."""

    def __init__(self, conv: nn.Conv2d, row: int, column: int):
        super().__init__()
        self.conv = conv
        self.place = slice(row, row + 1), slice(column, column + 1)
        self.one = nn.Conv2d(8, 8, 1, bias=False)
        nn.init.dirac_(self.one.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.one(self.conv(x)[(..., *self.place)]).flatten(1)


def test_every_position_is_a_probe_of_its_own(tmp_path):
    model = network()[:4].eval()

    class Headed(nn.Sequential):
        def forward(self, x):
            return super().forward(x).mean((2, 3))

    headed = Headed(*model)
    found = np.array(mapped(headed, "3", tmp_path / "maps", accuracy=0.8).relative)
    assert found.shape == (4, 4)
    for row, column in ((0, 0), (1, 2), (3, 1)):
        alone = Crop(model, row, column)
        train, test = (
            collect(alone, batches(*digits(count, start)), ["one"], count=count, memory=2**30, folder=tmp_path)
            for count, start in ((400, 0), (300, 1000))
        )
        (probe,) = train_probes(train, test, ["one"], 10, folder=tmp_path / f"{row}{column}", device=CPU)
        assert found[row, column] * 0.8 == pytest.approx(probe.test_accuracy, abs=0.0101)
    assert found.std() > 0.02


def test_the_middle_knows_more_than_the_corners(tmp_path):
    found = np.array(mapped(network(), "0", tmp_path).relative)
    assert found.shape == (8, 8)
    assert found[3:5, 3:5].mean() > found[[0, 0, -1, -1], [0, -1, 0, -1]].mean() + 0.1


def test_little_memory_gives_the_same_and_leaves_nothing(tmp_path):
    model = network()
    much, little = mapped(model, "3", tmp_path), mapped(model, "3", tmp_path / "maps", memory=10_000)
    np.testing.assert_allclose(np.array(much.relative), np.array(little.relative), atol=0.0101)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_single_position(tmp_path):
    model = nn.Sequential(nn.Conv2d(1, 20, 8), nn.Flatten(), nn.Linear(20, 10))
    found = mapped(model, "0", tmp_path)
    assert np.array(found.relative).shape == (1, 1)
    assert found.relative[0][0] > 0.5


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 4)
        self.volume = nn.Conv3d(1, 2, 1)
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        self.volume(x[:, None])
        return self.head(self.embed(x[:, 0]).mean(1))


def test_tokens_are_one_row(tmp_path):
    assert np.array(mapped(Tokens(), "embed", tmp_path).relative).shape == (1, 8)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("head", "layer 'head' has no positions, so that there is no heatmap of it; name a layer with a feature map"),
        ("volume", "layer 'volume' has 3 image axes, so that there is no heatmap of it; name a layer with a feature map"),
        ("volumes", "layer 'volumes' cannot be observed; did you mean volume?"),
    ],
)
def test_layers_without_a_map(layer, message, tmp_path):
    with pytest.raises(VerifyError) as raised:
        mapped(Tokens(), layer, tmp_path / "maps", memory=0)
    assert str(raised.value) == message
    assert not (tmp_path / "maps").exists()


def test_infinity(tmp_path):
    model = network()
    nn.init.constant_(model[0].weight, 1e38)
    with pytest.raises(VerifyError) as raised:
        mapped(model, "0", tmp_path)
    assert str(raised.value) == "layer '0' puts out NaN or infinity, so that there is no heatmap of it; choose another layer"


def test_a_model_that_labels_nothing_right(tmp_path):
    found = mapped(network(), "3", tmp_path, accuracy=0.0, counts=(50, 50))
    assert all(math.isnan(value) for row in found.relative for value in row)


def test_progress_names_the_layer_and_counts_positions(tmp_path):
    told = Told()
    mapped(network(), "3", tmp_path, counts=(100, 100), progress=told)
    stages = [heard for heard in told.heard if heard]
    assert [name for name, _ in stages] == [
        "heatmap 3: training images: features",
        "heatmap 3: test images: features",
        "heatmap 3: probes",
    ]
    assert told.heard[-17:] == [("heatmap 3: probes", 16), *[""] * 16]
