"""Every model of a file: which are found, what they are called with, and what is said of the others."""

from __future__ import annotations

import pytest
from torch import nn

from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.target.file_models import models_in
from rfcheck.target.obvious import Given
from rfcheck.target.source import FileSource

NET = """
class {name}(nn.Module):
    def __init__(self{arguments}):
        super().__init__()
        {before}
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x)
"""


def net(name="Net", arguments="", before="pass"):
    return NET.format(name=name, arguments=arguments and f", {arguments}", before=before)


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        (net(arguments="num_classes"), ["Net(num_classes=7)"]),
        (net(arguments="in_chans, img_size"), ["Net(in_chans=1, img_size=32)"]),
        (net(arguments="kind") + "def test():\n    Net('a')\n", ["Net(kind='a')"]),
        ("TABLE = {'b': 1}\n" + net(arguments="kind", before="TABLE[kind]"), ["Net(kind='b')"]),
        (net(arguments="plan=None", before="len(plan)") + "if __name__ == '__main__':\n    Net(plan=[1])\n", ["Net(plan=[1])"]),
        (net() + "def wide():\n    return Net()\n", ["wide"]),
        (net(arguments="n=1", before="self.n = n") + "def wide():\n    return Net(2)\n", ["Net", "wide"]),
        (net() + "def main():\n    return Net()\ndef train():\n    net = Net()\n    net(0).backward()\n    return net\n", ["Net"]),
        (net() + "def numbers():\n    if True:\n        return 3\n    return Net()\n", ["Net"]),
    ],
)  # fmt: skip
def test_labels(model_file, code, labels):
    path = model_file(code)
    found = models_in(FileSource(path), Given(7, 1, 32))
    assert [one.label for one in found] == [f"{path}:{label}" for label in labels]
    assert all(isinstance(one.build()[0], nn.Module) for one in found)


@pytest.mark.parametrize("raised", ["SystemExit(3)", "BaseException('x')", "RecursionError('deep')", "GeneratorExit()"])
def test_what_fails_does_not_keep_others_from_being_found(model_file, raised):
    path = model_file(f"{net()}\ndef bad():\n    raise {raised}\n    return Net()\n" + net("Last"))
    first, bad, last = models_in(FileSource(path), Given())
    assert [first.label, last.label] == [f"{path}:Net", f"{path}:Last"]
    with pytest.raises(TargetError) as caught:
        bad.build()
    if raised.startswith("SystemExit"):
        assert str(caught.value) == (
            f"{path}:bad: calling it left with SystemExit(3) ({path}:13: raise SystemExit(3)), as sys.exit and argparse do; a model is "
            "built without leaving the program"
        )
    else:
        assert str(caught.value).startswith(f"{path}:bad: building the model fails: {raised.partition('(')[0]}")


def test_a_base_need_not_be_complete(model_file):
    path = model_file(
        net("Base", "width=None", "width + 1") + "class Net(Base):\n    def __init__(self):\n        super().__init__(3)\n"
    )
    assert [one.label for one in models_in(FileSource(path), Given())] == [f"{path}:Net"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (net(arguments="depth"), "model.py:Net needs the arguments depth; give them as 'model.py:Net(depth=...)'"),
        (
            net(arguments="depth") + "def net(kind):\n    return Net(kind)\n",
            "model.py:net needs the arguments kind; give them as 'model.py:net(kind=...)'",
        ),
        (net("SELayer", "channels, k"), "SELayer is a building block: name one to analyse it, as in 'model.py:SELayer(channels=..., k=...)'"),
        (net("A", "k=1", "Block(2)") + net("Block", "k"), None),
    ],
)  # fmt: skip
def test_files_without_a_model_that_can_be_built(model_file, code, message):
    source = FileSource(model_file(code))
    if message is None:
        assert [one.label for one in models_in(source, Given())] == ["model.py:A"]
        return
    with pytest.raises(NothingToAnalyzeError) as caught:
        models_in(source, Given())
    assert str(caught.value).endswith(message)
