from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from rfcheck.target.isolation import own_imports
from rfcheck.target.registries import Registries

PACKAGE = """
class Registry:
    kinds = {}
    everyone = set()
    def __init__(self):
        self.known, self.order = {}, []
    def __call__(self, made):
        if made.__name__ in self.known:
            raise KeyError(f"{made.__name__} is already registered")
        self.known[made.__name__] = Registry.kinds[made] = made
        self.order.append(made)
        Registry.everyone.add(made)
        return made
MODELS = Registry()
TABLE = {}
"""
MODEL = """
import torch
from torch import nn
from registry_of_a_package import MODELS, TABLE
lib = torch.library.Library("rfcheck_registry_test", "DEF")
lib.define("doubled(Tensor x) -> Tensor")
lib.impl("doubled", lambda x: x * 2, "CompositeImplicitAutograd")
@MODELS
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, 3)
        TABLE["Net"] = type(self)
    def forward(self, x):
        return torch.ops.rfcheck_registry_test.doubled(self.conv(x))
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with a registry, as it is imported by whoever needs it."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "registry_of_a_package.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    yield lambda: sys.modules["registry_of_a_package"]
    sys.modules.pop("registry_of_a_package", None)


def test_targets_of_one_call_may_register_the_same_name(run, package, tmp_path):
    for folder, width in (("a", 2), ("b", 5)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.py").write_text(MODEL.replace("WIDTH", str(width)))
    for order in (("a/net.py", "b/net.py"), ("b/net.py", "a/net.py")):
        code, out, err = run(*order, "--resolution", "8", "--no-cache", "--select", "RF104", "--output", "concise")
        assert (code, err) == (1, "")
        assert out.count("RF104 [warning] Net") == 2
    models = package().MODELS
    assert (models.known, models.order, models.kinds, models.everyone, package().TABLE) == ({}, [], {}, set(), {})


def test_what_was_registered_before_stays_and_comes_back(package, tmp_path):
    """A class of the caller's, whose name a target takes, and one of torch's."""
    sys.path.insert(0, str(tmp_path))
    (tmp_path / "project_with_names.py").write_text(
        "from registry_of_a_package import TABLE\nclass Net: pass\nTABLE['Net'] = Net\n"
    )
    import registry_of_a_package

    registry_of_a_package.TABLE.update(Net=nn.Linear, Other=nn.ReLU)
    registry_of_a_package.MODELS(nn.Conv2d)
    with own_imports():
        import project_with_names

        assert registry_of_a_package.TABLE["Net"] is project_with_names.Net
    assert {"Net": nn.Linear, "Other": nn.ReLU} == registry_of_a_package.TABLE
    assert registry_of_a_package.MODELS.known == {"Conv2d": nn.Conv2d}
    sys.path.remove(str(tmp_path))


def test_nothing_is_forgotten_where_nothing_was_imported(package):
    import registry_of_a_package

    registry_of_a_package.MODELS(nn.Conv2d)
    Registries().release({})
    assert registry_of_a_package.MODELS.order == [nn.Conv2d]


def test_operators_of_a_forgotten_module_are_undefined():
    module = ModuleType("forgotten_with_operators")
    for _ in range(2):
        module.lib = torch.library.Library("rfcheck_registry_test", "DEF")
        module.lib.define("halved(Tensor x) -> Tensor")
        Registries().release({module.__name__: module})
    assert not hasattr(torch.ops.rfcheck_registry_test, "halved")
