from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest
from hypothesis import given, reject, settings

from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.target.discover import class_names, function_names, instance_names
from rfcheck.target.glance import may_hold_model, require_possible_model
from rfcheck.target.isolation import own_imports
from rfcheck.target.load import load_targets
from rfcheck.target.obvious import Given
from rfcheck.target.uses import Uses
from tests.conftest import EXAMPLES
from tests.random_programs import programs

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self{}):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x)
"""
SIZED = NET.format(", width")

HOLDING = [
    NET.format(""),
    SIZED + "model = Net(3)\n",
    "import torch.nn as n\nif True:\n    try:\n        net: n.Module = n.PReLU()\n    finally:\n        pass\n",
    "from torch.nn import *\nnet = PReLU()\n",
    "import torch\nnets = []\nnets.append(torch.nn.PReLU())\nnet = nets[0]\n",
    "import torch\nnets = {}\nnets['a'] = torch.nn.PReLU()\n(net,) = nets.values()\n",
    "import torch\nnets = []\ndef add(one):\n    nets.append(one)\nadd(torch.nn.PReLU())\nnet = nets[0]\n",
    "import torch\nclass Box:\n    pass\nBox.net = torch.nn.PReLU()\nnet = Box.net\n",
    "import torch\nclass Box:\n    def get(self):\n        return torch.nn.PReLU()\nnet = Box().get()\n",
    "def make():\n    from torch import nn\n    return nn.PReLU()\nnet = make()\n",
    "def build_model():\n    from torch import nn\n    return nn.PReLU()\n",
    "def build_model(width=3, *, depth=2, **rest):\n    import torch\n    return torch.nn.PReLU()\n",
    "build_model = lambda: __import__('torch').nn.PReLU()\n",
    "def anything() -> 'nn.Module':\n    return nn.PReLU()\nfrom torch import nn\n",
    "from torch import nn\ndef anything() -> nn.Sequential:\n    return nn.Sequential()\n",
    "from torch import nn\nkinds = {'relu': nn.PReLU}\nclass Named:\n    def __class_getitem__(cls, name):\n        return kinds[name]\n"
    "def anything() -> Named['relu']:\n    return nn.PReLU()\n",
    "import torch\ndef start():\n    global net\n    net = torch.nn.PReLU()\nstart()\n",
    "import torch\nglobals()['net'] = torch.nn.PReLU()\n",
    "import torch, sys\nsys.modules[__name__].net = torch.nn.PReLU()\n",
    "import torch, sys\nsetattr(sys.modules[__name__], 'net', torch.nn.PReLU())\n",
    "exec('import torch; net = torch.nn.PReLU()')\n",
    "net = eval('__import__(\"torch\").nn.PReLU()')\n",
    "import importlib\nnet = importlib.import_module('torch').nn.PReLU()\n",
    "from torch import nn\ndef called(function):\n    return function()\n@called\ndef net():\n    return nn.PReLU()\n",
    "from torch import nn\ndef called(function):\n    return function()\ndef make():\n    return nn.PReLU()\nnet = called(make)\n",
    "import operator\nfrom torch import nn\n@operator.call\ndef net():\n    return nn.PReLU()\n",
    "from torch import nn\n@lambda make: make()\ndef net():\n    return nn.PReLU()\n",
    "from torch import nn\nif (net := nn.PReLU()):\n    pass\n",
    "from torch import nn\n[net := one for one in [nn.PReLU()]]\n",
    "from torch import nn\nfor net in [nn.PReLU()]:\n    pass\n",
    "from torch import nn\nfrom contextlib import nullcontext\nwith nullcontext(nn.PReLU()) as net:\n    pass\n",
    "from torch import nn\nmatch nn.PReLU():\n    case net:\n        pass\n",
    "from torch import nn\nmatch [nn.PReLU()]:\n    case [*nets]:\n        net = nets[0]\n",
    "from torch import nn\ndef give():\n    return nn.PReLU()\n    yield\ntry:\n    next(give())\nexcept StopIteration as end:\n    net = end.value\n",
    "from torch import nn\nNet = type('Net', (nn.PReLU,), {'forward': lambda self, x: x})\n",
    "from torch import nn\nclass Meta(type):\n    def __new__(cls, name, bases, body):\n        return type(name, (nn.PReLU,), body)\n"
    "class Net(metaclass=Meta):\n    def forward(self, x):\n        return x\n",
    "from torch import nn\nclass Base:\n    def __init_subclass__(cls):\n        nets.append(nn.PReLU())\nnets = []\nclass A(Base):\n    pass\nnet = nets[0]\n",
    "from enum import Enum\nfrom torch import nn\nclass Kind(Enum):\n    relu = nn.PReLU()\nnet = Kind.relu.value\n",
    "from torch import nn\nclass Lazy:\n    net = property(lambda self: nn.PReLU())\nnet = Lazy().net\n",
    "import torch as device\nfrom copy import deepcopy as json\nnet = json(device.nn.PReLU())\n",
    "try:\n    import torch\nexcept ImportError:\n    torch = None\nnet = torch and torch.nn.PReLU()\n",
    "from functools import partial\nimport torch\nmake = partial(torch.nn.Linear, 3)\nnet = make(4)\n",
    "import torch\nnet = 1\nclass Adder:\n    def __radd__(self, other):\n        return torch.nn.PReLU()\nnet += Adder()\n",
    "from torch import optim\nnet = optim.swa_utils.AveragedModel(__import__('torch').nn.PReLU())\n",
    "if __name__ == '__main__':\n    pass\nelse:\n    from torch import nn\n    net = nn.PReLU()\n",
    "import torch\nclass A:\n    def m(self, x=[torch.nn.PReLU()]):\n        return x[0]\nnet = A().m()\n",
    "import torch\nx = torch.nn.PReLU\ndef f():\n    x = 3\n    return x\nnet = x()\n",
    "import torch\ndef f():\n    return [torch for torch in range(3)], torch\nnet = f()[1].nn.PReLU()\n",
    "import torch\nrate = torch.device('cpu')\nrate = torch.nn.PReLU()\n",
    "from torch import nn\ndef relu():\n    return nn.Sequential(nn.PReLU())\n",
    "from torch import nn\ndef _made(net):\n    return nn.Sequential(net)\ndef anything(num_classes, width=3):\n    net = _made(nn.PReLU())\n    return net\n",
    "def _make():\n    from torch import nn\n    return nn.Sequential(nn.PReLU())\ndef anything(*, n_classes):\n    return _make()\n",
    "from torch import nn\nanything = lambda: nn.Sequential(nn.PReLU())\n",
    "from functools import partial\nfrom torch import nn\nclass Net(nn.PReLU):\n    def __init__(self, a):\n        super().__init__()\nanything = partial(Net, 3)\n",
]  # fmt: skip
"""Files in which `load_targets` finds a model."""

EMPTY = [
    "",
    "x = 1\n",
    "import os\nROOT = os.getcwd()\n",
    "import argparse\nparser = argparse.ArgumentParser()\nargs = parser.parse_args([])\n",
    "import numpy as np\nMEAN = np.array([1.0])\n",
    "import torch\nDEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n",
    "import torch\nfrom torch import Tensor\n@torch.no_grad()\ndef accuracy(out: Tensor, target: Tensor) -> Tensor:\n    return out.argmax(1)\n",
    "import torch\ndef seed() -> None:\n    torch.manual_seed(0)\ndef table() -> 'dict[str, torch.nn.Module]':\n    return {}\n",
    "import torch\ndef get_model(name):\n    return getattr(torch.nn, name)()\n",
    "import torch\nasync def get_model():\n    return torch.nn.PReLU()\n",
    "from torch import nn\ndef initialise(model):\n    for part in model.modules():\n        if isinstance(part, nn.Linear):\n            nn.init.zeros_(part.bias)\n",
    "from torch.utils.data import DataLoader, Dataset\nclass Images(Dataset):\n    def __getitem__(self, n):\n        return n\n"
    "def loader():\n    return DataLoader(Images())\n",
    "from torch import nn\nimport pytest\n@pytest.mark.parametrize('layer', [nn.PReLU()])\ndef test_layer(layer):\n    assert layer\n",
    "from torch import nn\n_private = nn.PReLU()\n",
    "from torchvision.models import resnet18, ResNet\n__all__ = ['ResNet', 'resnet18']\n",
    "from shared import net\n",
    "from shared import *\n",
    "from shared import net, Net\nprint(net)\n",
    "from shared import net\nif __name__ == '__main__':\n    model = net\n    model.train()\n",
    "from shared import net\ndef main():\n    setattr(main, 'calls', vars(net))\nif __name__ == '__main__' and len:\n    main()\n",
    "import json\nimport logging\nimport torch\nCONFIG = json.loads('{}')\nlogger = logging.getLogger(__name__)\n"
    "def main():\n    CONFIG['device'] = torch.nn.PReLU()\n    logger.info(CONFIG)\nRATE = CONFIG.get('rate')\n",
    "from dataclasses import dataclass\nimport torch\n@dataclass\nclass Options:\n    width: int = 3\n    def device(self):\n        return torch.zeros(1)\n",
    "import torch\ndef f():\n    torch.nn.PReLU()\n    x = 3\n    return x\nx = 4\ny = x + 1\n",
    "import torch\nclass Step:\n    def run(self):\n        return torch.nn.PReLU()\n",
]  # fmt: skip
"""Files that are refused without being run."""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a Python file beside a module that holds a model; returns its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("shared.py").write_text(NET.format("") + "net = Net()\n")
    yield _written
    for name in [name for name in sys.modules if name == "shared" or name.startswith("_rfcheck_")]:
        del sys.modules[name]


def _written(code: str) -> str:
    Path("model.py").write_text(code, encoding="utf-8")
    return "model.py"


def is_let_through(code: str, path: Path) -> bool:
    return may_hold_model(ast.parse(code), path)


@pytest.mark.parametrize("code", HOLDING)
def test_files_with_a_model_pass(file, code):
    path = file(code)
    assert load_targets(path)
    require_possible_model(path)


@pytest.mark.parametrize("code", EMPTY)
def test_files_without_a_model_are_refused(file, code):
    path = file(code)
    with pytest.raises(NothingToAnalyzeError) as glanced:
        require_possible_model(path)
    with pytest.raises(NothingToAnalyzeError) as loaded:
        load_targets(path)
    assert str(glanced.value) == str(loaded.value)
    assert str(glanced.value) == (
        "model.py: holds no model; a model is a module-level instance that the file makes, a class that can be built without "
        "arguments, or a function without arguments that returns one"
    )


def test_refused_files_are_not_run(file):
    path = file("import torch\nraise SystemExit('was run')\n")
    with pytest.raises(NothingToAnalyzeError):
        require_possible_model(path)
    with pytest.raises(TargetError, match="was run"):
        load_targets(path)


@pytest.mark.parametrize(
    "target", ["model.py:Net", "torchvision:resnet18", "gone.py", "broken.py", "folder.py", "null.py", "a.b:c", ".py", ""]
)
def test_other_targets_pass(file, target):
    file("x = 1\n")
    Path("broken.py").write_text("def (:\n")
    Path("null.py").write_bytes(b"x = 1\0\n")
    Path("folder.py").mkdir()
    require_possible_model(target)


def test_nesting_that_is_too_deep_to_look_at_passes(file):
    require_possible_model(file(f"import torch\nx = {'(' * 5000}1{')' * 5000}\n"))
    require_possible_model(
        file(
            "import torch\nx = 1" + " + 1" * 5000 + "\n" + "".join(f"{'  ' * n}if x:\n" for n in range(90)) + "  " * 90 + "y = x\n"
        )
    )


def test_odd_escapes_bring_no_warning(file, recwarn):
    with pytest.raises(NothingToAnalyzeError):
        require_possible_model(file("x = '\\d'\n"))
    assert not recwarn.list


def test_a_module_of_the_user_hides_a_library(file):
    """A json.py beside the file is what it imports."""
    code = "import json\nnet = json.make()\n"
    with pytest.raises(NothingToAnalyzeError):
        require_possible_model(file(code))
    Path("json.py").write_text("from shared import Net as make\n")
    require_possible_model(file(code))


def test_torch_is_not_imported():
    code = "import sys; from rfcheck.target.glance import require_possible_model as look; look(sys.argv[1]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(EXAMPLES / "unet.py")], check=True)


def finds(path: Path) -> bool:
    """Whether `load_targets` finds a model in a file."""
    try:
        return bool(load_targets(str(path)))
    except TargetError:
        return False


@pytest.mark.parametrize(
    "path", [*sorted(EXAMPLES.glob("*.py")), *sorted(Path(__file__).parent.parent.glob("*.py"))], ids=lambda path: path.name
)
def test_files_of_this_project(path):
    if not is_let_through(path.read_text(encoding="utf-8"), path):
        assert not finds(path)


def candidates(module: types.ModuleType, tree: ast.Module) -> list[str]:
    uses = Uses.in_file(tree)
    made = [*function_names(module, uses), *class_names(module, uses)]
    return instance_names(module, tree) + [name for name in made if not Given().filled(getattr(module, name)).missing]


@pytest.mark.parametrize("package", ["torchvision", *(pytest.param(name, marks=pytest.mark.slow) for name in ("timm", "torch.nn"))])
def test_modules_of_packages(package):
    """What discovery sees in every module of a large package that is loaded."""
    importlib.import_module("timm.models" if package == "timm" else package)
    held = 0
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.startswith(package) and file.endswith(".py"):
            tree = ast.parse(Path(file).read_bytes())
            found = candidates(module, tree)
            held += bool(found)
            assert not found or may_hold_model(tree, Path("model.py")), f"{name} has {found}"
    assert held > 10


@settings(max_examples=150, deadline=None)
@given(code=programs())
def test_random_files(code):
    """A file that is refused holds no model when it is run."""
    assert_no_model_is_missed(code)


@pytest.mark.slow
@settings(max_examples=800, deadline=None)
@given(code=programs())
def test_many_random_files(code):
    assert_no_model_is_missed(code)


def assert_no_model_is_missed(code: str) -> None:
    try:
        compile(code, "model.py", "exec")
    except SyntaxError:
        reject()
    with tempfile.TemporaryDirectory() as folder, own_imports():
        path = Path(folder) / "model.py"
        if not is_let_through(code, path):
            path.write_text(code, encoding="utf-8")
            assert not finds(path)
