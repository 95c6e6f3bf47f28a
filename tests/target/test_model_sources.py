from __future__ import annotations

import importlib
import inspect
import sys
import types

import pytest
from torch import nn

from rfcheck.target.model_sources import HARMLESS, ORIGINS, may_give_model


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("os", False),
        ("os.path.join", False),
        ("json.loads", False),
        ("pickle.load", True),
        ("pickle", True),
        ("importlib.import_module", True),
        ("importlib.metadata.version", False),
        ("importlib.metadata.entry_points", True),
        ("sys.argv", False),
        ("sys.modules", True),
        ("numpy.array", False),
        ("numpy.load", True),
        ("numpy.loadtxt", False),
        ("torch", True),
        ("torch.nn.Module", True),
        ("torch.device", False),
        ("torch.devices", True),
        ("torch.optim.SGD", False),
        ("torch.optim.swa_utils.AveragedModel", True),
        ("timm.create_model", True),
        ("unknown", True),
        (".models.net", True),
        ("...net", True),
    ],
)
def test_names(name, may):
    assert may_give_model(name) is may


def test_hidden_packages_give_anything():
    assert may_give_model("os.path", {"os"})
    assert not may_give_model("os.path", {"json"})


def _installed(name: str) -> object:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            value = getattr(value, part)
        return value
    return pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", sorted(HARMLESS | ORIGINS))
def test_names_exist(name):
    _installed(name)


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_harmless_packages_hold_no_module(name):
    """Nothing public in a package, or in a module of it that is loaded, is a Module or a class of them, or it is listed as an exception."""
    value = _installed(name)
    modules = {name: value} if isinstance(value, types.ModuleType) else {}
    modules |= {key: module for key, module in list(sys.modules.items()) if key.startswith(f"{name}.") and modules}
    for place, module in modules.items():
        for key, part in list(vars(module).items()):
            if not key.startswith("_") and _is_module(part):
                assert may_give_model(f"{place}.{key}"), f"{place}.{key}"
    assert not _is_module(value)


def _is_module(value: object) -> bool:
    try:
        return isinstance(value, nn.Module) or (inspect.isclass(value) and issubclass(value, nn.Module))
    except Exception:  # some packages have objects that cannot be asked before they are set up
        return False


def test_the_search_can_find_one():
    assert _is_module(_installed("torch.optim.swa_utils.AveragedModel"))
    assert may_give_model("torch.optim.swa_utils.AveragedModel")
