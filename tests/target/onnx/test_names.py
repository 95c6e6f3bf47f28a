from __future__ import annotations

import pytest
from onnx import helper
from torchvision import models

from rfcheck.target.onnx.names import scopes_of
from rfcheck.target.onnx.reading import read_onnx
from tests.target.programs import as_onnx


def node(operator: str, name: str = "", inputs=("x",), output: str = "y", paths: str = "", classes: str = "") -> helper.NodeProto:
    made = helper.make_node(operator, list(inputs), [output], name)
    for key, value in (("name_scopes", paths), ("class_hierarchy", classes)):
        if value:
            made.metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    return made


def shown(*nodes) -> list[list[tuple[str, str]]]:
    return [[(scope.path, scope.type) for scope in scopes] for scopes in scopes_of(nodes)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/conv1/Conv", "conv1"),
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("/layer1/layer1.0/downsample/downsample.0/Conv", "layer1.0.downsample.0"),
        ("/features/features.0/features.0.0/Conv", "features.0.0"),
        ("/blocks.0/layers.1/fc/Conv", "blocks.0.layers.1.fc"),
        ("/Conv", ""),
    ],
)
def test_names_of_torchs_older_exporter(name, path):
    (scopes,) = scopes_of([node("Conv", name)])
    assert (scopes[-1].path if scopes else "") == path


def test_names_are_those_of_the_modules(tmp_path):
    model = models.mobilenet_v3_small(weights=None)
    nodes = read_onnx(as_onnx(model, tmp_path / "m.onnx", folded=True)).graph.node
    paths = {scopes[-1].path for n, scopes in zip(nodes, scopes_of(nodes), strict=True) if n.op_type == "Conv"}
    assert paths == {name for name, module in model.named_modules() if type(module).__name__ == "Conv2d"}


def test_classes_are_those_of_operators_where_a_module_has_one():
    assert shown(
        node("Conv", "/a/c/Conv"), node("Sigmoid", "/a/act/Sigmoid"), node("Mul", "/a/act/Mul"), node("Add", "/a/Add")
    ) == [
        [("a", "Module"), ("a.c", "Conv")],
        [("a", "Module"), ("a.act", "Module")],
        [("a", "Module"), ("a.act", "Module")],
        [("a", "Module")],
    ]


def test_nodes_without_a_scope_in_the_middle_of_a_call_belong_to_it():
    nodes = (
        node("Conv", "/a/b/Conv"),
        node("Slice"),
        node("Slice", "/Slice_1"),
        node("Add", "/a/b/Add"),
        node("Flatten", "/Flatten"),
    )
    assert [[path for path, _ in scopes] for scopes in shown(*nodes)] == [["a", "a.b"]] * 4 + [[]]


def test_metadata_of_torchs_newer_exporter():
    paths, classes = (
        "['', 'layer1', 'layer1.0', 'relu_1']",
        "['pkg.ResNet', 'torch.nn.Sequential', 'pkg.Block', 'aten.relu.default']",
    )
    root = node("Relu", "n", paths="['', 'relu']", classes="['pkg.ResNet', 'aten.relu.default']")
    assert shown(node("Relu", "node_relu_1", paths=paths, classes=classes), root) == [
        [("layer1", "Sequential"), ("layer1.0", "Block")],
        [],
    ]


def test_a_convolution_belongs_to_the_module_of_its_weight():
    """Folding leaves the name of the normalisation behind."""
    paths, classes = "['', 'layer1', 'layer1.bn', 'bn_1']", "['pkg.ResNet', 'pkg.Block', 'torch.nn.BatchNorm2d', 'aten.bn']"
    folded = node("Conv", "node_Conv_1", ("x", "layer1.conv.weight"), paths=paths, classes=classes)
    plain = node("Conv", "/a/Conv", ("x", "onnx::Conv_12"))
    assert shown(folded, plain) == [[("layer1", "Block"), ("layer1.conv", "Conv")], [("a", "Conv")]]
    hyphened = node(
        "Conv", "node_Conv_2", ("x", "block1-0.proj.0.weight"), paths="['', 'block1-0.proj.1', 'bn']", classes="['', 'BN', '']"
    )
    assert shown(hyphened) == [[("block1-0.proj.0", "Conv")]]


@pytest.mark.parametrize("paths", ["['', 'a'", "{}", "1", "__import__('os')", "[1, 2]"])
def test_metadata_of_others_does_no_harm(paths):
    scopes_of([node("Relu", "n", paths=paths, classes="['a', 'b']")])


def test_nodes_of_other_exporters_are_modules_of_their_own():
    nodes = (
        node("Conv", "StatefulPartitionedCall/model/conv1/Conv2D"),
        node("Relu"),
        node("Relu", output="t:0"),
        node("Add", ".a..b."),
    )
    assert shown(*nodes) == [
        [("StatefulPartitionedCall.model.conv1.Conv2D", "Conv")],
        [("y", "Relu")],
        [("t.0", "Relu")],
        [("a.b", "Add")],
    ]
    assert shown(node("Conv", inputs=("x", "stem.conv.weight"))) == [[("stem.conv", "Conv")]]
    assert shown(node("Relu", output="")) == [[("Relu_0", "Relu")]]
