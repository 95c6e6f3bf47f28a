from __future__ import annotations

import sys

import numpy as np
import pytest

from rfcheck.errors import DataError
from rfcheck.verify.data import factory
from rfcheck.verify.progress import Silent

FORM = "a factory returns two data sets, for training and for testing, with a length and pairs of an image and a label"

GOOD = """
def pairs(count):
    return [(torch.full((1, 4, 5), number, dtype=torch.uint8), number % 2) for number in range(count)]

def build(train=6, test=4):
    print("reading")
    return pairs(train), pairs(test)

class Named(torch.utils.data.Dataset):
    classes = ["cat", "dog"]
    def __len__(self):
        return 6
    def __getitem__(self, index):
        if index >= 6:
            raise RuntimeError("read too far")
        return torch.full((3, 4, 5), index / 255), torch.tensor(index % 2)

def named():
    return Named(), torch.utils.data.Subset(Named(), [5, 2])

SIZE = 3
class Holder:
    build = staticmethod(build)
"""


def load(spec: str):
    factory.check(spec, False)
    return factory.load(spec, False, Silent())


def refusal(spec: str) -> str:
    with pytest.raises(DataError) as error:
        load(spec)
    return str(error.value)


def test_a_function_in_a_file(model_file, capsys):
    model_file(GOOD, "data.py")
    data = load("data.py:build")
    assert (len(data.train), len(data.test), data.flips, data.name) == (6, 4, True, "data.py:build")
    assert data.train.pixels[:, 0, 1, 1].tolist() == [0, 1, 2, 3, 4, 5]
    assert data.train.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert data.classes == ("0", "1")
    assert capsys.readouterr().out == ""


def test_arguments_and_dotted_names(model_file):
    model_file(GOOD, "data.py")
    assert len(load("data.py:Holder.build(8, test=3)").test) == 3


def test_a_function_in_a_module(model_file, monkeypatch):
    model_file(GOOD, "some_images.py")
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert factory.is_factory("some_images:build")
    try:
        assert len(load("some_images:build").train) == 6
    finally:
        sys.modules.pop("some_images", None)


def test_names_of_classes_also_of_subsets(model_file):
    model_file(GOOD + "\ndef swapped():\n    return named()[::-1]\n", "data.py")
    data = load("data.py:named")
    assert data.classes == ("cat", "dog")
    assert data.test.pixels[:, 2, 0, 0].tolist() == [5, 2]
    assert data.test.labels.tolist() == [1, 0]
    assert load("data.py:swapped").classes == ("cat", "dog")


def test_data_sets_of_torchvision(model_file):
    model_file(
        "from torchvision.datasets import FakeData\n"
        "def build():\n    return FakeData(9, (3, 8, 6), 3), FakeData(5, (3, 8, 6), 3, random_offset=20)\n"
    )
    from torchvision.datasets import FakeData

    data = load("model.py:build")
    expected = FakeData(9, (3, 8, 6), 3)
    assert data.train.labels.tolist() == [int(label) for _, label in expected]
    assert np.array_equal(data.train.pixels[4].permute(1, 2, 0).numpy(), np.asarray(expected[4][0]))


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ("data.py:build", True),
        ("no/such/data.py:build", True),
        ("data.py:build(", True),
        ("torch.utils:data", True),
        ("no_such_package.module:build", False),
        ("torchvision:cifar10", False),
        ("folder/data:build", False),
        ("nothing", False),
    ],
)
def test_what_counts_as_a_factory(spec, known):
    assert factory.is_factory(spec) == known


def test_what_is_not_there(model_file):
    model_file(GOOD, "data.py")
    assert refusal("dota.py:build") == "dota.py:build: there is no file dota.py; give file.py:function or package.module:function"
    assert refusal("data.py") == "data.py: does not name a function; write data.py:function"
    assert refusal("data.py:biuld") == "data.py:biuld: data.py has no 'biuld'; did you mean build?"
    assert refusal("data.py:xyz") == "data.py:xyz: data.py has no 'xyz'; write a function xyz() that returns (train, test)"
    assert refusal("data.py:SIZE") == f"data.py:SIZE: SIZE is of the type int, not a function; {FORM}"
    assert refusal("data.py:build(") == "data.py:build(: 'build(' is not a name or a call like build(num_classes=10)"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError('no  disk')", "the function fails: OSError: no disk; mend it so that it returns (train, test)"),
        ("raise SystemExit(3)", "the function fails: SystemExit: 3; mend it so that it returns (train, test)"),
        ("return 3", f"returns a value of the type int; {FORM}"),
        ("return good, good, good", f"returns a value of the type tuple with 3 parts; {FORM}"),
        ("return iter(good), good", f"the training set is of the type list_iterator; {FORM}"),
        ("return good, []", "the test set has no images; give at least two of each class"),
        ("return good, [x]", f"item 0 of the test set is of the type Tensor; {FORM}"),
        ("return good, [(x, 0, 0)]", f"item 0 of the test set is of the type tuple; {FORM}"),
        ("return [{'image': x}], good", f"item 0 of the training set is of the type dict; {FORM}"),
        (
            "return [(x, 0.0)], good",
            "item 0 of the training set has the label 0.0, which is not an integer; number the classes from 0",
        ),
        (
            "return [(x, 'cat')], good",
            "item 0 of the training set has the label 'cat', which is not an integer; number the classes from 0",
        ),
        (
            "return [(x, torch.tensor([0, 1]))], good",
            "item 0 of the training set has the label tensor([0, 1]), which is not an integer; number the classes from 0",
        ),
        (
            "return good, [(x, 0), (x + 2, 1)]",
            "item 1 of the test set has values from 2 to 2; give uint8, or floating-point numbers from 0 to 1, "
            "and leave the normalisation out, which follows later",
        ),
        (
            "return [(x, 0), (x[:, :2], 1)], good",
            "item 1 of the training set has the shape (1, 2, 5) (channels, height, width) and item 0 (1, 4, 5); "
            "bring all images to one shape, for example with torchvision.transforms.Resize((height, width))",
        ),
    ],
)
def test_what_a_factory_may_not_return(model_file, body, said):
    model_file(f"x = torch.zeros(1, 4, 5)\ngood = [(x, 0), (x, 1)]\ndef build():\n    {body}\n", "data.py")
    assert refusal("data.py:build").partition("data.py:build: ")[2] == said


def test_an_item_that_cannot_be_read(model_file):
    model_file(
        GOOD + "\nclass Broken(Named):\n    def __len__(self):\n        return 8\ndef broken():\n    return Broken(), Named()\n",
        "data.py",
    )
    assert refusal("data.py:broken") == (
        "data.py:broken: item 6 of the training set cannot be read: RuntimeError: read too far; mend the data set"
    )


def test_a_file_that_fails(model_file):
    model_file("\nx = 1 / 0\n", "data.py")
    assert refusal("data.py:build") == "data.py:build: data.py:4: running the file fails: ZeroDivisionError: division by zero"


def test_a_module_that_fails(model_file, monkeypatch):
    model_file("import no_such_package_at_all\n", "failing_images.py")
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert refusal("failing_images:build") == (
        "failing_images:build: failing_images: an import fails: No module named 'no_such_package_at_all'; "
        "install it in the environment that runs rfcheck"
    )
