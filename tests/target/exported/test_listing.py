from __future__ import annotations

import json
import zipfile

import pytest
import torch
from torch import nn

from rfcheck.errors import TargetError
from rfcheck.target.exported.listing import listing_of
from tests.target.programs import exported, written_as_today


def written(model: nn.Module, tmp_path, **options) -> tuple[dict, dict]:
    with zipfile.ZipFile(exported(model, tmp_path / "m.pt2", **options)) as archive:
        documents = {name.partition("/")[2]: name for name in archive.namelist()}
        weights = json.loads(archive.read(documents["data/weights/model_weights_config.json"]))["config"]
        return json.loads(archive.read(documents["models/model.json"])), weights


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 8, (3, 1), groups=1), nn.Conv2d(8, 8, 3, groups=4), nn.ConvTranspose2d(8, 4, 2))
        self.tied = nn.Conv2d(8, 8, 3, groups=4)
        self.tied.weight = self.a[1].weight
        self.norm = nn.BatchNorm2d(4)
        self.unused = nn.Linear(5, 2)

    def forward(self, x):
        return self.norm(self.a[2](self.tied(self.a[:2](x)))) * torch.tensor([0.5])


@written_as_today
def test_everything_that_the_file_says(tmp_path):
    model = Net().eval()
    listing = listing_of(*written(model, tmp_path, dynamic=True))
    assert (listing.type, listing.source, listing.input_name) == ("Net", "program", "x")
    assert listing.input_sizes == (None, 3, None, None)
    assert {name: tuple(p.shape) for name, p in listing.parameters.items()} == {
        n: tuple(p.shape) for n, p in model.named_parameters()
    }
    assert set(listing.buffers) == {name for name, _ in model.named_buffers()}
    assert all(t.is_meta for t in (*listing.parameters.values(), *listing.buffers.values(), *listing.constants.values()))
    assert [tuple(t.shape) for t in listing.constants.values()] == [(1,)]
    assert listing.attributes == {
        "a.0": {"kernel_size": (3, 1), "in_channels": 3},
        "a.1": {"kernel_size": (3, 3), "in_channels": 8},
        "a.2": {"kernel_size": (2, 2), "in_channels": 8},
        "tied": {"kernel_size": (3, 3), "in_channels": 8},
    }
    assert {path: kind for path, kind in listing.modules.items() if kind != "Module"} == {
        "a.0": "Conv2d",
        "a.1": "Conv2d",
        "a.2": "ConvTranspose2d",
        "tied": "Conv2d",
        "norm": "BatchNorm2d",
    }
    assert listing.tensors["p_tied_weight" if "p_tied_weight" in listing.tensors else "p_a_1_weight"] in (
        "a.1.weight",
        "tied.weight",
    )


@written_as_today
def test_parameters_of_modules_that_are_not_called_count(tmp_path):
    """A strict export leaves them out of the program, not out of its weights."""
    listing = listing_of(*written(Net(), tmp_path, strict=True))
    assert {"unused.weight", "unused.bias"} <= set(listing.parameters)
    assert sum(p.numel() for p in listing.parameters.values()) == sum(p.numel() for p in Net().parameters())


@written_as_today
def test_without_a_description_of_weights(tmp_path):
    document, _ = written(nn.Conv2d(3, 4, 3), tmp_path)
    assert set(listing_of(document, {}).parameters) == {"weight", "bias"}


class Two(nn.Module):
    def forward(self, x, mask):
        return x * mask


@written_as_today
def test_several_inputs_are_refused(tmp_path):
    program = torch.export.export(Two(), (torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)))
    torch.export.save(program, tmp_path / "two.pt2")
    with zipfile.ZipFile(tmp_path / "two.pt2") as archive:
        document = json.loads(archive.read("two/models/model.json"))
    with pytest.raises(TargetError) as caught:
        listing_of(document, {})
    assert str(caught.value) == (
        "the program takes 2 inputs (x, mask), rfcheck gives it one image; "
        "export a module whose forward takes the image only and supplies the others"
    )


@written_as_today
def test_objects_as_inputs_are_refused(tmp_path):
    document, weights = written(nn.Conv2d(3, 4, 3), tmp_path)
    document["graph_module"]["signature"]["input_specs"].append({"custom_obj": {"arg": {"name": "o"}, "custom_obj_name": "o"}})
    with pytest.raises(TargetError, match="^the program needs an input of the kind custom_obj, which rfcheck cannot make$"):
        listing_of(document, weights)
