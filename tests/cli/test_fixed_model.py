from __future__ import annotations

import re
import sys

import pytest
import torch

from rfcheck.cli.fixed_model import ENDINGS, FixedModel, module_code, needs_data, write_fixed_model
from rfcheck.config import Settings
from rfcheck.errors import FixError, TargetError
from rfcheck.target.load import load_targets
from tests.predictions import outcome
from tests.test_import_weight import imported

NET = """
class Net(nn.Module):
    def __init__(self, layers=6):
        super().__init__()
        self.features = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(layers)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.features(x)), 1))
"""

CODE = '''\
"""net.py:Net, changed for inputs of 3x1x1: truncate, crop-kernels."""

import sys
from collections import OrderedDict
from pathlib import Path

from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
'''


def fixed(path: str, *names: str, size: int = 2, with_data: bool = False) -> FixedModel:
    return FixedModel.of(load_targets(path)[0], size, Settings(), names, with_data=with_data)


@pytest.fixture
def net(model_file, monkeypatch):
    monkeypatch.delitem(sys.modules, "net", raising=False)
    return model_file(NET, "net.py")


def test_fixes_one_after_the_other(net):
    # at 2 px the inputs see 1, 3, 5 ... px: the second convolution is the border
    found = fixed(f"{net}:Net", "truncate", "truncate-before")
    assert [fix.name for fix in found.fixes] == ["truncate", "truncate-before"]
    assert found.shape == (1, 3, 2, 2)
    assert (found.before.params, found.after.params) == (6 * 84 + 8, 84 + 8)
    assert found.fixes[1].predicted.before == found.fixes[0].predicted.after
    assert outcome(found.model, 2) == found.after
    assert [line for line in found.snippet.statements if line.startswith("#")] == [
        f"# {fix.name}: {fix.description}" for fix in found.fixes
    ]
    assert found.summary == (
        "net.py:Net with truncate, truncate-before: tail 5 -> 0, unproductive 5 -> 0, FLOPs 1.95 k -> 330, parameters 512 -> 92"
    )


def test_no_weights_unless_they_are_needed(net):
    without = fixed(f"{net}:Net", "truncate")
    assert {parameter.device.type for parameter in without.model.parameters()} == {"meta"}
    rebuilt = fixed(f"{net}:Net", "truncate", with_data=True)
    assert {parameter.device.type for parameter in rebuilt.model.parameters()} == {"cpu"}
    assert (rebuilt.fixes, rebuilt.shape, rebuilt.snippet) == (without.fixes, without.shape, without.snippet)


def test_a_later_fix_is_looked_for_in_what_earlier_ones_left(net):
    with pytest.raises(FixError, match="^net.py:Net after truncate-before: truncate does not apply: the network has no tail$"):
        fixed(f"{net}:Net", "truncate-before", "truncate")


def test_code(net, tmp_path):
    code = module_code(fixed(f"{net}:Net", "truncate", "crop-kernels", size=1), tmp_path)
    head, _, rest = code.partition("from net import Net as original")
    assert head == CODE
    assert rest.startswith("  # noqa: E402\n\n\ndef crop(conv, taps, padding):\n")
    body = rest[rest.index("def build_model") :].splitlines()
    assert body[:3] == ["def build_model() -> nn.Module:", '    """The changed model."""', "    model = original()"]
    assert body[-1] == "    return model"
    assert body[4].startswith("    # truncate: ")
    names = {"__file__": str(tmp_path / "changed.py")}
    exec(code, names)
    assert outcome(names["build_model"](), 1) == fixed(f"{net}:Net", "truncate", "crop-kernels", size=1).after


def test_code_of_a_catalogue_model(tmp_path):
    found = fixed("torchvision:vgg11(num_classes=2)", "truncate", size=32)
    code = module_code(found, tmp_path)
    assert code.startswith('"""torchvision:vgg11(num_classes=2), changed for inputs of 3x32x32: truncate."""\n\nfrom collections')
    assert "noqa" not in code
    assert 'model = models.get_model("vgg11", weights=None, num_classes=2)' in code
    compile(code, "changed.py", "exec")


DATA_DEPENDENT = NET.replace("        return", "        if x.sum() > 1e9:\n            x = -x\n        return")


def test_a_model_that_cannot_be_exported(model_file, tmp_path):
    found = fixed(f"{model_file(DATA_DEPENDENT, 'depends.py')}:Net", "truncate", with_data=True)
    with pytest.raises(FixError, match=r"^torch.export cannot export the changed model: \S.*; write it as \.py or \.pt$"):
        write_fixed_model(found, tmp_path / "out.pt2")
    assert not list(tmp_path.glob("*out*"))
    write_fixed_model(found, tmp_path / "out.pt")
    assert torch.load(tmp_path / "out.pt", weights_only=True).keys() == found.model.state_dict().keys()


def test_programs_are_in_evaluation_and_in_the_precision_of_the_model(model_file, tmp_path):
    code = NET.replace("self.features(x)", "torch.nn.functional.dropout(self.features(x), 0.5, self.training)")
    path = model_file(code + "\ndef double():\n    return Net().double()\n", "double.py")
    write_fixed_model(fixed(f"{path}:double", "truncate", with_data=True), tmp_path / "out.pt2")
    program = torch.export.load(tmp_path / "out.pt2").module()
    images = torch.rand(3, 3, 2, 2, dtype=torch.float64)
    assert program(images).dtype == torch.float64
    assert program(images).equal(program(images))


def test_nothing_is_written_where_the_model_cannot_be_built(model_file, tmp_path):
    path = model_file(NET.replace("self.pool =", "assert torch.empty(1).is_meta, 'no data'\n        self.pool ="), "meta.py")
    message = re.escape(
        "meta.py:Net: building the model fails: AssertionError: no data (meta.py:8: assert torch.empty(1).is_meta, 'no data')"
    )
    with pytest.raises(TargetError, match=f"^{message}$"):
        write_fixed_model(fixed(f"{path}:Net", "truncate", with_data=True), tmp_path / "out.pt")
    assert not list(tmp_path.glob("*out*"))


def test_endings():
    assert ENDINGS == (".py", ".pt2", ".pt")
    assert [needs_data(f"out{ending}") for ending in ENDINGS] == [False, True, True]


def test_the_module_is_light():
    assert imported("import rfcheck.cli.fixed_model") == []
