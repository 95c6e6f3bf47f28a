from __future__ import annotations

import pytest
from torch import nn

from rfcheck.errors import TargetError
from rfcheck.target.load import load_targets

PRETRAINED = """
import urllib.request
import torch
import torch.nn as nn
import torchvision

class Net(nn.Module):
    def __init__(self, pretrained=True):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3)
        if pretrained:
            self.load_state_dict(torch.hub.load_state_dict_from_url("https://weights.invalid/net.pth", progress=False))

    def forward(self, x):
        return self.a(x)

def default():
    return torchvision.models.resnet18(weights="DEFAULT")

class First(Net):
    def __init__(self, pretrained=True, head_weights="x"):
        super().__init__(False)
        if pretrained:
            weights = torch.hub.load_state_dict_from_url("https://weights.invalid/net.pth")
            self.scale = nn.Parameter(list(weights.values())[0])

def other():
    return torch.load(urllib.request.urlopen("https://weights.invalid/net.pth"))

def forgiving():
    try:
        urllib.request.urlopen("https://weights.invalid/net.pth")
    except OSError:
        pass
    return Net(pretrained=False)

class Missing(Net):
    def __init__(self):
        super().__init__(False)
        self.load_state_dict(torch.load("missing.pth"))
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(PRETRAINED)

    def build(name: str) -> nn.Module:
        return load_targets(f"model.py:{name}")[0].build()[0]

    return build


@pytest.mark.parametrize("name", ["Net", "default", "forgiving"])
def test_weights_are_not_needed(target, name):
    assert all(parameter.is_meta for parameter in target(name).parameters())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "First",
            "model.py:First: building the model needs weights, and rfcheck never downloads: IndexError: list index out of range "
            "(model.py:25: self.scale = nn.Parameter(list(weights.values())[0])); "
            "pass pretrained=False, head_weights=None, as in 'model.py:First(pretrained=False, head_weights=None)'",
        ),
        (
            "other",
            "model.py:other: building the model opens a network connection to weights.invalid, and rfcheck never downloads "
            '(model.py:28: return torch.load(urllib.request.urlopen("https://weights.invalid/net.pth"))); '
            "leave the weights out where the code asks for them, as with pretrained=False or weights=None",
        ),
        (
            "Missing",
            "model.py:Missing: building the model fails: FileNotFoundError: [Errno 2] No such file or directory: 'missing.pth' "
            '(model.py:40: self.load_state_dict(torch.load("missing.pth"))); '
            "weights are not needed: build the model without reading a file, or give the path from the current folder",
        ),
    ],
)
def test_what_cannot_be_built_says_why_where_and_what_to_do(target, name, message):
    with pytest.raises(TargetError) as error:
        target(name)
    assert str(error.value) == message


def test_a_file_that_connects_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text('import urllib.request\nurllib.request.urlopen("https://weights.invalid/a")\n')
    with pytest.raises(TargetError) as error:
        load_targets("model.py:net")
    assert str(error.value) == (
        "model.py:2: running the file opens a network connection to weights.invalid, and rfcheck never downloads; "
        "leave the weights out where the code asks for them, as with pretrained=False or weights=None"
    )


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("assert depth is not None", "AssertionError (model.py:5: assert depth is not None)"),
        ("self.a = nn.Conv2d(3, -4, 3)", "(model.py:5: self.a = nn.Conv2d(3, -4, 3))"),
        ("{}[\n            depth]", "KeyError: None (model.py:5: {}[)"),
    ],
)
def test_the_line_that_fails_is_shown(tmp_path, monkeypatch, statement, said):
    monkeypatch.chdir(tmp_path)
    code = "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, depth=None):\n        super().__init__()\n        "
    (tmp_path / "model.py").write_text(f"{code}{statement}\n    def forward(self, x):\n        return x\n")
    with pytest.raises(TargetError) as error:
        load_targets("model.py:Net")[0].build()
    assert str(error.value).startswith("model.py:Net: building the model fails: ")
    assert str(error.value).endswith(said)


@pytest.mark.parametrize(
    ("signature", "remedy"), [("**options", "; give them with --args depth=...,in_planes=3"), ("options={}", "")]
)
def test_arguments_that_a_function_passes_on_can_be_given(tmp_path, monkeypatch, signature, remedy):
    monkeypatch.chdir(tmp_path)
    code = "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, depth, in_planes):\n        super().__init__()\n"
    (tmp_path / "model.py").write_text(f"{code}def net({signature}):\n    return Net(**options)\n")
    with pytest.raises(TargetError) as error:
        load_targets("model.py:net")[0].build()
    assert str(error.value) == (
        "model.py:net: building the model fails: TypeError: Net.__init__() missing 2 required positional arguments: 'depth' and "
        f"'in_planes' (model.py:6: return Net(**options)){remedy}"
    )
