from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models

from rfcheck import analyze, apply_fix
from rfcheck.errors import TargetError, TraceError
from rfcheck.target.exported.reading import read_exported
from tests.target.programs import Gated, UNet, exported, facts, totals, written_as_today

SIZES = (32, 64, 224)


def assert_same(model: nn.Module, path: Path, sizes=SIZES) -> None:
    program = read_exported(path)
    for size in sizes:
        expected, found = analyze(model, size), analyze(program, size)
        assert facts(found) == facts(expected)
        assert totals(found) == totals(expected)
        assert [layer.module_type for layer in found.layers] == [layer.module_type for layer in expected.layers]
        assert found.traced_with == "meta"


OPTIONS = [
    {},
    pytest.param({"dynamic": True}, marks=written_as_today),
    pytest.param({"dynamic": True, "decompose": True}, marks=written_as_today),
    {"strict": True},
]


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_gated_network(options, mode, tmp_path):
    model = Gated().train(mode == "train")
    assert_same(model, exported(model, tmp_path / "m.pt2", **options))


@pytest.mark.parametrize("decompose", [False, pytest.param(True, marks=written_as_today)])
def test_a_network_that_looks_at_the_size_of_the_image(decompose, tmp_path):
    model = UNet().eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", dynamic=True, decompose=decompose))


def test_circular_padding_that_is_written_out(tmp_path):
    """Basic operators have it as writes to parts of copies."""
    model = nn.Sequential(*(nn.Conv2d(3, 3, k, s, k // 2, padding_mode="circular") for k, s in [(3, 2), (5, 1)])).eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", decompose=True), [32])


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
def test_padding_that_is_written_out_as_indexing_is_followed(mode, tmp_path):
    model = nn.Conv2d(3, 4, 3, 2, 1, padding_mode=mode).eval()
    analysis = analyze(read_exported(exported(model, tmp_path / "m.pt2", decompose=True)), 32)
    assert (analysis.layers[0].r_max, analysis.assumptions) == ((3, 3), ())


def test_the_graph_is_that_of_the_model(tmp_path):
    model = models.resnet18(weights=None).eval()
    program = read_exported(exported(model, tmp_path / "m.pt2"))
    expected, found = analyze(model, 32).graph, analyze(program, 32).graph
    assert list(found) == list(expected)
    assert list(found.edges) == list(expected.edges)
    for name, node in expected.nodes.items():
        left_out = {"from_torch", "source"}
        assert {k: v for k, v in found.nodes[name].items() if k not in left_out} == {
            k: v for k, v in node.items() if k not in left_out
        }


ZOO = ["mobilenet_v3_small", "densenet121", "efficientnet_b0", "convnext_tiny", "shufflenet_v2_x1_0", "googlenet", "vgg11_bn"]
ZOO += ["squeezenet1_1"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_models_of_the_zoo(name, tmp_path):
    options = {"init_weights": False} if name == "googlenet" else {}
    model = models.get_model(name, weights=None, **options).eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", 224, dynamic=True))


@pytest.mark.slow
def test_a_transformer(tmp_path):
    """At one size only: torch needs minutes to export one for any size."""
    model = models.swin_t(weights=None).eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", 224), (224,))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "efficientnet_b0"])
def test_models_that_take_any_size_need_no_dynamic_shapes(name, tmp_path):
    model = models.get_model(name, weights=None).eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", 224))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "shufflenet_v2_x1_0"])
def test_programs_without_composite_operators(name, tmp_path):
    model = models.get_model(name, weights=None).eval()
    assert_same(model, exported(model, tmp_path / "m.pt2", 224, dynamic=True, decompose=True))


def test_what_rfcheck_fix_writes(model_file, run):
    """The file of a changed model is analysed like the changed model."""
    name = model_file(
        "from torchvision.models import resnet18\ndef build_model() -> nn.Module:\n    return resnet18(num_classes=10)\n"
    )
    code, _, err = run("fix", name, "--resolution", "32", "--apply", "truncate", "--output", "cut.pt2")
    assert (code, err) == (0, "")
    changed = apply_fix(models.resnet18(num_classes=10), "truncate", 32)
    assert_same(changed, Path("cut.pt2"), sizes=(32, 48))
    assert analyze(changed, 32).flops < analyze(models.resnet18(num_classes=10), 32).flops


def rewritten(path: Path, target: Path, change) -> Path:
    """A copy of an archive with its entries changed; a change to None leaves an entry out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return exported(nn.Conv2d(3, 4, 3), tmp_path_factory.mktemp("small") / "small.pt2")


def test_weights_are_not_read(small, tmp_path):
    light = rewritten(small, tmp_path / "light.pt2", lambda name, content: content if name.endswith(".json") else None)
    assert facts(analyze(read_exported(light), 32)) == facts(analyze(nn.Conv2d(3, 4, 3), 32))


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@written_as_today
def test_nothing_in_the_file_runs(small, tmp_path):
    """Pickled tensors and expressions are what torch.export.load would run."""
    bomb = Bomb()
    bomb.path = str(tmp_path / "ran")
    code = f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"

    def poison(name: str, content: bytes) -> bytes:
        if not name.endswith(".json"):
            return pickle.dumps(bomb)
        document = json.loads(content)
        if "guards_code" in document:
            document["guards_code"] = [code]
            document["range_constraints"] = {code: {"min_val": 0, "max_val": 1}}
            sizes = document["graph_module"]["graph"]["tensor_values"]["input"]["sizes"]
            sizes[2] = {"as_expr": {"expr_str": code, "hint": {"as_int": 32}}}
        else:
            for entry in document["config"].values():
                entry["use_pickle"] = True
        return json.dumps(document).encode()

    poisoned = rewritten(small, tmp_path / "poisoned.pt2", poison)
    assert analyze(read_exported(poisoned), 32).flops == 30 * 30 * 4 * 27
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(bomb))
    assert (tmp_path / "ran").exists(), "the bomb works"


@written_as_today
def test_files_of_older_versions(small, tmp_path):
    """Before 2.8 the description was a file of its own at the top of the archive."""
    names = {"small/models/model.json": "serialized_exported_program.json"}
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(tmp_path / "old.pt2", "w") as new:
        for name, renamed in names.items():
            new.writestr(renamed, old.read(name))
        new.writestr("serialized_state_dict.pt", b"not read")
        new.writestr("version", "8.2")
    assert facts(analyze(read_exported(tmp_path / "old.pt2"), 32)) == facts(analyze(nn.Conv2d(3, 4, 3), 32))


class Strange(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.conv(torch.ops.rfcheck_test.strange(self.conv.weight.sum() * x))


def test_operators_of_other_libraries_are_named(tmp_path):
    @torch.library.custom_op("rfcheck_test::strange", mutates_args=())
    def strange(x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    strange.register_fake(torch.empty_like)
    analysis = analyze(read_exported(exported(Strange(), tmp_path / "m.pt2", dynamic=True)), 48)
    assert analysis.assumptions == ("strange: rfcheck_test::strange: unknown operator, taken as pointwise",)
    assert analysis.layer("conv").r_max == (3, 3)


class Resized(nn.Module):
    def forward(self, x):
        return nn.functional.interpolate(nn.functional.max_pool2d(x, 2), size=x.shape[2:])


def test_another_size_than_that_of_the_export(tmp_path):
    program = read_exported(exported(Resized(), tmp_path / "m.pt2", 32))
    assert analyze(program, 32).input_size == (32, 32)
    with pytest.raises(TraceError) as caught:
        analyze(program, 64)
    assert str(caught.value) == (
        "the forward pass fails at input 3x64x64 in the model, which received a tensor of shape 1x3x64x64: ProgramError: "
        "aten.upsample_nearest2d.vec: resizes to 32x32, a size that the program may have taken from the image it was exported with; "
        "the program was made for 3x32x32: to analyse other sizes export it with dynamic_shapes (torch.export.Dim); "
        "the model is tied to 32x32 px"
    )


def archive_of(path: Path, **entries: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


PICKLE = (
    "holds pickled objects, which would run code when they are read; give the .py file that builds the model, or write the model "
    "with torch.export.save"
)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({}, "holds no program; write the model with torch.export.save"),
        ({"m/data.pkl": "", "m/data/0": ""}, PICKLE),
        (
            {"m/data/aotinductor/model/x.so": ""},
            "holds compiled code only; give the program that it was compiled from, as torch.export.save writes it",
        ),
        (
            {"m/models/a.json": "{}", "m/models/b.json": "{}"},
            "holds several programs (a, b) and none of them is called model; save one of them alone",
        ),
        (
            {"m/models/model.json": "{}"},
            "the description of the program is not as torch.export writes it (KeyError: 'graph_module')",
        ),
        ({"m/models/model.json": "[]"}, "the description of the program is not as torch.export writes it"),
        ({"m/models/model.json": "{"}, "is not a program that torch.export.save wrote: Expecting property name"),
        ({"m/models/model.json": "[" * 100_000}, "is not a program that torch.export.save wrote: maximum recursion depth"),
    ],
)
def test_other_archives(entries, reason, tmp_path):
    path = archive_of(tmp_path / "m.pt2", **entries)
    with pytest.raises(TargetError) as caught:
        read_exported(path)
    assert str(caught.value).startswith(f"{path}: {reason}")


def test_a_description_that_would_fill_the_memory_is_not_unpacked(tmp_path):
    path = tmp_path / "m.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("m/models/model.json", "w") as document:
        for _ in range(300):
            document.write(b" " * 2**20)
    assert path.stat().st_size < 2**20
    with pytest.raises(TargetError) as caught:
        read_exported(path)
    assert str(caught.value) == (
        f"{path}: m/models/model.json unpacks to 300 MiB, more than any description of a program (at most 32 MiB are read); "
        "write the model again with torch.export.save"
    )


def test_a_description_of_too_many_values_is_not_read(tmp_path):
    path = tmp_path / "m.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/models/model.json", b"[" + b"{}," * 2_000_000 + b"{}]")
    assert path.stat().st_size < 10_000
    with pytest.raises(TargetError) as caught:
        read_exported(path)
    assert str(caught.value) == (
        f"{path}: m/models/model.json holds about 4,000,002 values, more than any description of a program "
        "(at most 2,000,000 are read); write the model again with torch.export.save"
    )


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_are_packed_as_torch_packs_them(small, tmp_path, packed):
    path = tmp_path / "m.pt2"
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(path, "w", packed) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(TargetError, match="is packed in a way that torch.export.save does not use; write the model again with it$"):
        read_exported(path)


def _later_version(content: bytearray) -> None:
    content[content.find(b"PK\x01\x02") + 6] = 240


def _end_cut_off(content: bytearray) -> None:
    """The length of the first member reaches beyond the end of the file."""
    at = content.find(b"PK\x01\x02")
    for field in (20, 24):
        content[at + field : at + field + 4] = (10**6).to_bytes(4, "little")


def _encrypted(content: bytearray) -> None:
    for mark, field in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.find(mark) + field] |= 1


def _wrong_sum(content: bytearray) -> None:
    content[content.find(b"PK\x01\x02") + 16] ^= 255


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_later_version, "zip file version 24.0"),
        (_end_cut_off, "EOFError"),
        (_encrypted, "File 'ok/models/model.json' is encrypted, password required for extraction"),
        (_wrong_sum, "Bad CRC-32 for file 'ok/models/model.json'"),
    ],
)
def test_damaged_archives(damage, reason, tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("ok/models/model.json", "{}")
    damaged = bytearray(content.getvalue())
    damage(damaged)
    path = tmp_path / "m.pt2"
    path.write_bytes(damaged)
    with pytest.raises(TargetError) as caught:
        read_exported(path)
    assert str(caught.value) == f"{path}: is not a program that torch.export.save wrote: {reason}"


@written_as_today
def test_a_text_in_the_place_of_a_size(small, tmp_path):
    """A text times three thousand million would fill the memory before its length could be looked at."""

    def grown(name: str, content: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return content
        document = json.loads(content)
        nodes = document["graph_module"]["graph"]["nodes"]
        arguments = [{"name": "", "arg": given, "kind": 1} for given in ({"as_string": "A"}, {"as_int": 3 << 30})]
        outputs = [{"as_sym_int": {"as_name": "q"}}]
        nodes.insert(0, {**nodes[0], "target": "_operator.mul", "metadata": {}, "inputs": arguments, "outputs": outputs})
        return json.dumps(document).encode()

    program = read_exported(rewritten(small, tmp_path / "m.pt2", grown))
    with pytest.raises(
        TraceError, match="_operator.mul: the program computes with something that is not a number as if it were a size"
    ):
        analyze(program, 32)


def test_other_files(tmp_path):
    path = tmp_path / "m.pt2"
    path.write_bytes(b"no archive")
    with pytest.raises(TargetError, match="m.pt2: is not a program that torch.export.save wrote: File is not a zip file"):
        read_exported(path)


def test_what_torch_save_writes_is_refused(tmp_path):
    stream = io.BytesIO()
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), stream)
    (tmp_path / "m.pt2").write_bytes(stream.getvalue())
    with pytest.raises(TargetError) as caught:
        read_exported(tmp_path / "m.pt2")
    assert str(caught.value) == f"{tmp_path / 'm.pt2'}: {PICKLE}"


def test_an_operator_that_rfcheck_does_not_follow(small, tmp_path):
    def branch(name: str, content: bytes) -> bytes:
        return content.replace(b"torch.ops.aten.conv2d.default", b"torch.ops.higher_order.cond")

    path = rewritten(small, tmp_path / "m.pt2", branch)
    with pytest.raises(TargetError) as caught:
        read_exported(path)
    assert str(caught.value) == (
        f"{path}: the program calls higher_order.cond; rfcheck follows programs without branches, loops and compiled parts"
    )
