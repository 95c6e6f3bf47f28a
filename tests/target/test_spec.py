from __future__ import annotations

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.spec import TargetSpec, parse_target


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("model.py", TargetSpec("model.py", "file", "model.py", None)),
        ("a/b.py:Net", TargetSpec("a/b.py:Net", "file", "a/b.py", "Net")),
        (
            "b.py:make(10, name='x', w=[1, 2])",
            TargetSpec("b.py:make(10, name='x', w=[1, 2])", "file", "b.py", "make", True, (10,), {"name": "x", "w": [1, 2]}),
        ),
        ("pkg.mod:Net", TargetSpec("pkg.mod:Net", "module", "pkg.mod", "Net")),
        ("pkg.mod:nets.small", TargetSpec("pkg.mod:nets.small", "module", "pkg.mod", "nets.small")),
        ("torchvision:resnet18", TargetSpec("torchvision:resnet18", "torchvision", "torchvision", "resnet18")),
        ("timm:resnet18.a1_in1k", TargetSpec("timm:resnet18.a1_in1k", "timm", "timm", "resnet18.a1_in1k")),
        (
            "timm:flexivit_base.300ep_in1k(num_classes=3)",
            TargetSpec(
                "timm:flexivit_base.300ep_in1k(num_classes=3)",
                "timm",
                "timm",
                "flexivit_base.300ep_in1k",
                True,
                (),
                {"num_classes": 3},
            ),
        ),
        (
            "timm:resnet50(num_classes=10)",
            TargetSpec("timm:resnet50(num_classes=10)", "timm", "timm", "resnet50", True, (), {"num_classes": 10}),
        ),
    ],
)
def test_forms(text, spec):
    assert parse_target(text) == spec


def test_near_forms(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "tiny.py").touch()
    with pytest.raises(TargetError) as caught:
        parse_target("nets/tiny")
    assert str(caught.value) == "nets/tiny: not a target; did you mean nets/tiny.py?"
    with pytest.raises(TargetError) as caught:
        parse_target("nets/")
    assert str(caught.value) == "nets/: is a folder; give the files in it, like nets/*.py"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model", "model: not a target; give a file model.py, model.py:name, package.module:name or torchvision:name"),
        ("a b:Net", "a b:Net: 'a b' is neither a Python file nor the name of a module"),
        ("m.py:make(n=x)", "m.py:make(n=x): arguments must be literals"),
        ("m.py:make(**{'a': 1})", "arguments must be written out"),
        ("m.py:make(", "m.py:make(: 'make(' is not a name or a call like build(num_classes=10)"),
        ("m.py:", "is not a name or a call"),
        ("m.py:[1][0]", "the part behind the colon must be a name or a call"),
        ("m.py:__import__('os').system('true')", "the part behind the colon must be a name or a call"),
    ],
)
def test_wrong_forms(text, message):
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("timm:hf-hub:timm/resnet18.a1_in1k", "give timm's own name, timm:resnet18.a1_in1k"),
        ("timm:hf_hub:somebody/net", "give timm's own name"),
        ("timm:timm/resnet18.a1_in1k", "give timm's own name, timm:resnet18.a1_in1k"),
    ],
)
def test_models_of_a_hub_are_refused(text, remedy):
    with pytest.raises(TargetError) as error:
        parse_target(text)
    assert str(error.value) == f"{text}: a model of a hub would have to be downloaded, which rfcheck never does; {remedy}"
