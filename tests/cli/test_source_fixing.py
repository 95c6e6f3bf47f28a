"""Fixes in source files: what is written, what is left and why, and that the edited models are as predicted."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from torch import nn

from rfcheck.cli.source_fixing import fix_sources
from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import FixError, TargetError
from rfcheck.report.source_fixing import SourceFixing, fixing_text
from rfcheck.target.isolation import own_imports
from rfcheck.target.load import load_targets
from tests.predictions import outcome
from tests.zoo import parameter_count

PAIRS = sorted((Path(__file__).parent.parent / "fixes" / "source_fixes").glob("*.before"))


def fixed(
    target: str,
    size: int | tuple[int, ...] = 16,
    *,
    unsafe: bool = False,
    diff: bool = False,
    names: tuple[str, ...] = (),
    **settings: object,
) -> SourceFixing:
    return fix_sources(target, size, Settings.of(settings), unsafe=unsafe, diff=diff, names=names)


def left(fixing: SourceFixing) -> dict[str, tuple[str, ...]]:
    return {f"{fix.model.rpartition(':')[2]} {fix.name}": fix.reasons for fix in fixing.left}


def models(path: str) -> dict[str, nn.Module]:
    """The models of a file, with data."""
    with own_imports():
        return {target.label: target.build_with_data() for target in load_targets(path)}


def options(pair: Path) -> tuple[int | tuple[int, ...], bool, tuple[str, ...]]:
    """Size and kind of fixes that the first line of a file asks for, and their names if it says any."""
    match = re.fullmatch(r"# at (\S+), --fix(?:=(\S+))?( --unsafe-fixes)?", pair.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None
    extents = tuple(map(int, match[1].split("x")))
    return (
        extents[0] if len(extents) == 1 else extents,
        match[3] is not None,
        tuple((match[2] or "").split(",")) if match[2] else (),
    )


VARIANTS = {
    "as written": lambda data: data,
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "no last line end": lambda data: data.rstrip(b"\n"),
    "longer": lambda data: b"# \xe2\x82\xac\n\n" + data + b"\n\n# end\n",
}


@pytest.mark.parametrize(
    ("pair", "variant"),
    [(pair, variant) for pair in PAIRS for variant in VARIANTS if variant == "as written" or pair.stem == "styles"],
    ids=lambda value: getattr(value, "stem", value),
)
def test_files_before_and_after(tmp_path, monkeypatch, pair, variant):
    monkeypatch.chdir(tmp_path)
    file = Path("größe.py")
    before, after = (VARIANTS[variant](path.read_bytes()) for path in (pair, pair.with_suffix(".after")))
    size, unsafe, names = options(pair)
    file.write_bytes(before)
    shown = fixed(str(file), size, unsafe=unsafe, names=names, diff=True)
    assert (file.read_bytes(), shown.after, shown.written) == (before, after, False)
    made = fixed(str(file), size, unsafe=unsafe, names=names)
    assert (file.read_bytes(), made.before, made.after, made.written) == (after, before, after, True)
    assert (made.made, made.left) == (shown.made, shown.left)
    assert not made.failures
    again = fixed(str(file), size, unsafe=unsafe, names=names)
    assert (again.made, again.after, again.written) == ((), after, False)
    assert again.left == made.left
    assert [failure.message.startswith(f"{names[0]} does not apply: ") for failure in again.failures] == [True] * len(names)
    assert [path.name for path in Path().iterdir() if path.name != "__pycache__"] == [file.name]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.stem)
def test_the_edited_models_are_as_predicted(tmp_path, monkeypatch, pair):
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_bytes(pair.read_bytes())
    size, unsafe, names = options(pair)
    before = models("model.py")
    last = {fix.model: fix for fix in fixed("model.py", size, unsafe=unsafe, names=names).made}
    after = models("model.py")
    assert set(last) == set(before) == set(after)
    for label, fix in last.items():
        assert outcome(after[label], size) == fix.predicted.after
        assert parameter_count(after[label]) == fix.predicted.after.params
        if all(made.safe for made in last.values()):
            assert_same_outputs(before[label], after[label], size)


def assert_same_outputs(before: nn.Module, after: nn.Module, size: int | tuple[int, ...]) -> None:
    """The edited model gives the same outputs with those weights of the other that its kernels kept."""
    for (name, old), new in zip(before.named_modules(), after.modules(), strict=True):
        if isinstance(old, nn.Conv2d):
            assert isinstance(new, nn.Conv2d), name
            paddings = [conv._reversed_padding_repeated_twice[::2][::-1] for conv in (old, new)]
            starts = [(was - now) // d for was, now, d in zip(*paddings, old.dilation, strict=True)]
            taps = tuple(slice(start, start + kernel) for start, kernel in zip(starts, new.kernel_size, strict=True))
            new.weight.data.copy_(old.weight.data[(..., *taps)])
            if old.bias is not None:
                new.bias.data.copy_(old.bias.data)
        elif not list(old.children()):
            new.load_state_dict(old.state_dict())
    extents = (size, size) if isinstance(size, int) else size
    image = torch.randn(2, 3, *extents)
    with torch.no_grad():
        torch.testing.assert_close(after.eval()(image), before.eval()(image))


HEAD = """
import copy
import functools


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.a = nn.Conv2d(3, width, 7, 4, 3)
        self.b = nn.Conv2d(width, width, 2, 4)
        {tail}
        self.fc = nn.Linear(width, 10)

    def forward(self, x):
        return self.fc(self.tail(self.b(self.a(x))).mean((2, 3)))
"""
TAIL = "self.tail = nn.Conv2d(width, width, 3, padding=1)"


def net(tail: str = TAIL, more: str = "") -> str:
    """A network whose last map has one pixel at 16 px, and what comes behind it."""
    return HEAD.format(tail=tail) + more


def edited(old: str, new: str) -> bytes:
    """The file with one change."""
    text = Path("model.py").read_text(encoding="utf-8")
    assert text.count(old) == 1
    return text.replace(old, new).encode()


def test_a_summary(model_file):
    path = model_file(
        net(f"{TAIL[:-1]}, bias=False)", "\n\nclass Odd(nn.Conv2d):\n    def __init__(self):\n        super().__init__(5, 5, 3)\n")
    )
    assert fixing_text(fixed(path), 80) == (
        "model.py:Net: made crop-kernels in line 13: FLOPs 19.7 k -> 19.2 k, parameters\n"
        "  2.11 k -> 1.60 k, outputs stay the same\n"
        "model.py:Odd: no fixes: the forward pass fails at input 3x16x16 in the model,\n"
        "  which received a tensor of shape 1x3x16x16: RuntimeError: Given groups=1,\n"
        "  weight of size [5, 5, 3, 3], expected input[1, 3, 16, 16] to have 5 channels,\n"
        "  but got 3 channels instead; the layer expects 5 channels and the input has 3:\n"
        "  pass --channels 5 or input_size=(5, 16, 16)\n"
        "model.py: 1 fix made, 0 left.\n"
    )


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("self.tail = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1) for _ in range(5)])", "line 13 makes 5 layers, tail.0, tail.1, tail.2 and 2 more"),
        ("self.tail = (lambda **more: nn.Conv2d(8, 8, 3, **more))(padding=1)", "the call in line 13 that makes tail does not write its arguments out: it has **more"),
        ("self.tail = functools.partial(nn.Conv2d, kernel_size=3)(8, 8, padding=1)", "tail is made by functools.partial(nn.Conv2d, kernel_size=3)(...) in line 13, not by one call of Conv2d"),
        ("make = nn.Conv2d; self.tail = make(8, 8, 3, padding=1)", "tail is made by make(...) in line 13, not by one call of Conv2d"),
        ("self.tail = copy.deepcopy(nn.Conv2d(8, 8, 3, padding=1))", "tail is made by Net(...) in line 19, not by one call of Conv2d"),
    ],
)  # fmt: skip
def test_calls_that_are_left(model_file, tail, reason):
    path = model_file(net(tail, "\nmodel = Net()\n"))
    before = Path(path).read_bytes()
    fixing = fixed(path, select=("RF301",))
    assert left(fixing) == {"model crop-kernels": (reason,)}
    assert (fixing.made, fixing.written) == ((), False)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("c = nn.Conv2d(8, 8, 3, padding=1); self.tail = nn.Sequential(c, nn.Conv2d(8, 8, c.kernel_size, padding=c.padding, **{}))",
         "taken back: the edited model is not as predicted: flops 19280 instead of 19792, params 1682 instead of 2194, "
         "r max (11, 11) instead of (43, 43), resolution range ((11, 11), (11, 11)) instead of ((11, 11), (43, 43))"),
        (f"{TAIL}; self.tail.load_state_dict(dict(weight=torch.zeros(8, 8, 3, 3), bias=torch.zeros(8)))",
         "taken back: model.py:Net: building the model fails: RuntimeError: Error(s) in loading state_dict for Conv2d: size mismatch for weight: "
         "copying a param with shape torch.Size([8, 8, 3, 3]) from checkpoint, the shape in current model is torch.Size([8, 8, 1, 1])."
         " (model.py:13: self.tail = nn.Conv2d(width, width, 1, padding=0); self.tail.load_state_dict(dict(weight=torch.ze...)"),
    ],
)  # fmt: skip
def test_edits_that_are_taken_back(model_file, tail, reason):
    path = model_file(net(tail))
    before = Path(path).read_bytes()
    fixing = fixed(path, select=("RF301",))
    assert left(fixing)["Net crop-kernels"][0] == reason
    assert (fixing.made, fixing.after, fixing.written) == ((), before, False)
    assert Path(path).read_bytes() == before


OTHER = """
KERNEL = Net().tail.kernel_size


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, KERNEL, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.conv(x).mean((2, 3)))
"""


def test_an_edit_that_changes_another_model_is_taken_back(model_file):
    path = model_file(net(more=OTHER))
    reason = "taken back: the edit would change model.py:Other too"
    assert left(fixed(path)) == {"Net crop-kernels": (reason,)}
    assert left(fixed(f"{path}:Net")) == {"Net crop-kernels": (reason,)}


def test_an_edit_that_breaks_another_model_is_taken_back(model_file):
    path = model_file(net(more=OTHER.replace("nn.Conv2d(3, 4, KERNEL", "nn.Conv2d(3, 4, 3 // (KERNEL[0] - 1)")))
    assert left(fixed(f"{path}:Net")) == {"Net crop-kernels": ("taken back: the edit would change model.py:Other too",)}


def test_a_class_that_two_models_use(model_file):
    more = "\n\ndef small() -> nn.Module:\n    return Net(4)\n\n\ndef large() -> nn.Module:\n    return Net(6)\n"
    code = net(more=more).replace("width=8", "width")
    path = model_file(code)
    assert left(fixed(f"{path}:large")) == {"large crop-kernels": ("line 13 makes layer tail of model.py:small too",)}
    same = model_file(code.replace("6", "4"), "same.py")
    fixing = fixed(same)
    assert [(fix.model, fix.name) for fix in fixing.made] == [("same.py:small", "crop-kernels")]
    assert fixing.left == ()
    assert {outcome(model, 16) for model in models(same).values()} == {fixing.made[0].predicted.after}


STEM = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 7, 2, 3)
        self.pool = nn.MaxPool2d(2)
        self.body = nn.Sequential(
            nn.Conv2d(4, 4, 3, 2, 1),
            nn.Conv2d(4, 4, 3, 2, 1),
            nn.Conv2d(4, 4, 5, padding=2),
            nn.Conv2d(4, 4, 5, padding=2),
            nn.Conv2d(4, 4, 5, padding=2),
        )
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.body(self.pool(self.stem(x))).mean((2, 3)))
"""


def test_kernels_are_cropped_to_the_maps_that_stay(model_file):
    path = model_file(STEM)
    safe = fixed(path, diff=True)
    assert [(fix.name, fix.lines) for fix in safe.made] == [("crop-kernels", (11, 12, 13, 14))]
    assert left(safe)["Net remove-stem"] == ("it changes what the model computes; --unsafe-fixes allows it",)
    recommended = fixed(path, unsafe=True, diff=True)
    assert [(fix.name, fix.lines) for fix in recommended.made] == [("move-downsampling", (7, 8, 10, 11))]
    fixing = fixed(path, unsafe=True, names=("remove-stem", "crop-kernels"))
    assert [(fix.name, fix.lines) for fix in fixing.made] == [("remove-stem", (7, 8))]
    assert left(fixing) == {"Net crop-kernels": ("it does not apply any more behind what was made",)}
    assert fixing.after == edited("nn.Linear(4, 2)", "nn.Linear(4, 2)")
    assert b"self.stem = nn.Conv2d(3, 4, 3, 1, 1)\n        self.pool = nn.Identity()\n" in fixing.after
    assert fixing.after.count(b"nn.Conv2d(4, 4, 5, padding=2)") == 3, "their taps read pixels now"


def test_a_stem_is_not_changed_behind_cropped_kernels(model_file):
    """A cropped kernel reads much padding, and its rule names a fix that enlarges the map: that one waits."""
    code = STEM.replace("            nn.Conv2d(4, 4, 3, 2, 1),\n", "", 1).replace(
        "            nn.Conv2d(4, 4, 5, padding=2),\n", "", 2
    )
    path = model_file(code)
    fixing = fixed(path, unsafe=True)
    assert [fix.name for fix in fixing.made] == ["crop-kernels"]
    assert fixing.after == Path(path).read_bytes()
    assert b"            nn.Conv2d(4, 4, 3, padding=1),\n        )" in fixing.after
    assert left(fixing) == {"Net remove-stem": ("it changes the maps that kernels were just cropped to",)}


def test_what_is_left_can_be_had_in_another_way(model_file, run):
    path = model_file(net("self.tail = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1) for _ in range(5)])"), "größe x.py")
    for fix in fixed(path).left:
        if fix.command is None:
            assert fix.reasons in (
                ("it changes what the model computes; --unsafe-fixes allows it",),
                (f"another one serves the model better; --fix={fix.name} --unsafe-fixes makes this one",),
            )
            continue
        program, *arguments = shlex.split(fix.command)
        code, out, err = run(*arguments)
        assert (program, code, err) == ("rfcheck", 0, "")
        compile(out, "fix.py", "exec")


@pytest.mark.parametrize(
    ("size", "channels", "options"),
    [
        (16, 3, "--resolution 16"),
        ((16, 32), 3, "--resolution 16x32"),
        ((5, 16, 16), 3, "--input-size 5,16,16"),
        (16, 5, "--input-size 5,16,16"),
    ],
)
def test_sizes_in_commands(model_file, size, channels, options):
    inputs = 5 if "5," in options else 3
    code = net("self.tail = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1) for _ in range(2)])").replace(
        "Conv2d(3,", f"Conv2d({inputs},"
    )
    (fix,) = [fix for fix in fixed(model_file(code), size, channels=channels).left if fix.name == "crop-kernels"]
    assert fix.command == f"rfcheck fix model.py:Net {options} --apply crop-kernels"


@pytest.mark.parametrize(
    "settings",
    [
        {"ignore": ("RF3",)},
        {"select": ("RF1", "RF2")},
        {"rules": {"RF301": RuleOverride(limits={"min_live": 0.1})}},
    ],
)
def test_only_findings_are_answered(model_file, settings):
    path = model_file(net())
    assert fixed(path, **settings) == SourceFixing(path, Path(path).read_bytes(), Path(path).read_bytes(), False, (), ())


def test_layers_without_a_finding_keep_their_kernels(model_file):
    path = model_file(net("self.tail = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, (1, 3), padding=(0, 1)))"))
    fixing = fixed(path, diff=True, rules={"RF301": RuleOverride(limits={"min_live": 0.2})})
    assert fixing.after == edited("nn.Conv2d(8, 8, 3, padding=1)", "nn.Conv2d(8, 8, 1, padding=0)")


def test_the_model_that_the_target_names(model_file, tmp_path):
    path = model_file(net())
    after = edited("3, padding=1)", "1, padding=0)")
    for target in ("model.py:Net(6)", "./model.py:Net(width=6)", f"{tmp_path}/model.py:Net"):
        (fix,) = fixed(target, diff=True).made
        assert (fix.model, fix.lines, fixed(target, diff=True).after) == (target, (13,), after)
    assert fixed(f"../{tmp_path.name}/{path}").after == after


@pytest.mark.parametrize("kind", ["build", "instance", "with data"])
def test_models_that_are_made_in_other_ways(model_file, kind):
    more = {
        "build": "\n\ndef build_model():\n    return nn.Sequential(Net(4))\n",
        "instance": "\n\nmodel = Net(4)\n",
        "with data": "\n\nmodel = Net(4)\nmodel.a.weight.data *= float(model.a.weight.sum() > 0)\n",
    }
    path = model_file(net(more=more[kind]))
    fixing = fixed(path)
    assert [fix.name for fix in fixing.made] == ["crop-kernels"]
    assert fixing.left == ()


def test_a_file_in_a_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"__init__.py": "", "parts.py": "from torch import nn\n\n\ndef tail():\n    return nn.Conv2d(8, 8, 3, padding=1)\n"}
    files["net.py"] = "from torch import nn\nfrom . import parts\n" + net(f"self.tail = nn.Sequential({TAIL[12:]}, parts.tail())")
    Path("fixing_package").mkdir()
    for name, text in files.items():
        Path("fixing_package", name).write_text(text)
    modules, path = dict(sys.modules), list(sys.path)
    fixing = fixed("fixing_package/net.py")
    assert left(fixing)["Net crop-kernels"] == (
        "tail.1 is made in fixing_package/parts.py:5, and only fixing_package/net.py is edited",
    )
    assert [fix.layers for fix in fixing.made] == [("tail.0",)]
    assert sys.path == path
    assert {name for name in sys.modules if name.startswith(("fixing_package", "_rfcheck_"))} == {
        name for name in modules if name.startswith(("fixing_package", "_rfcheck_"))
    }


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("torchvision:resnet18", FixError, "torchvision:resnet18: fixes are made in Python files only; name the file that makes the model, like model.py:Net"),
        ("torch.nn:Identity", FixError, "torch.nn:Identity: fixes are made in Python files only; name the file that makes the model, like model.py:Net"),
        ("nothing.py", TargetError, "nothing.py: no such file"),
        ("model.py:Nett", TargetError, "model.py:Nett: model.py has no 'Nett'; did you mean Net?"),
    ],
)  # fmt: skip
def test_targets_without_a_file(model_file, target, error, message):
    before = Path(model_file(net())).read_bytes()
    with pytest.raises(error) as caught:
        fixed(target)
    assert str(caught.value).startswith(message)
    assert Path("model.py").read_bytes() == before


def test_ctrl_c_while_an_edit_is_tried(model_file):
    path = model_file(net(f"{TAIL}\n        if self.tail.kernel_size == (1, 1): raise KeyboardInterrupt"))
    before = Path(path).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        fixed(path)
    assert Path(path).read_bytes() == before
    assert [file.name for file in Path().iterdir() if file.name != "__pycache__"] == [path]


def test_a_file_that_changes_while_an_edit_is_tried(model_file):
    path = model_file(
        net(f"{TAIL}\n        if self.tail.kernel_size == (1, 1): __import__('pathlib').Path(__file__).write_text('changed')")
    )
    with pytest.raises(FixError) as caught:
        fixed(path)
    assert str(caught.value) == "model.py: somebody changed the file meanwhile, so that it was left alone; run rfcheck again"
    assert Path(path).read_text() == "changed"


def test_torch_and_libcst_are_imported_when_there_is_something_to_fix():
    code = "import sys; import rfcheck.cli.source_fixing; print([name for name in ('torch', 'libcst') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def random_layer(random: Random, channels: int) -> str:
    """A convolution or pooling, written in one of many ways."""
    if random.random() < 0.25:
        return random.choice(
            ["nn.MaxPool2d(2)", "nn.MaxPool2d(3, 2, 1)", "nn.AvgPool2d(kernel_size=2)", "nn.MaxPool2d(2, ceil_mode=True)"]
        )
    kernel, dilation = random.choice([(1, 1), (3, 3), (3, 3), (5, 5), (7, 7), (1, 3), (5, 3)]), random.choice([1, 1, 1, 2])
    padding = random.choice([0, *(3 * [tuple(dilation * (k - 1) // 2 for k in kernel)])])
    given = {"kernel_size": kernel, "stride": random.choice([1, 1, 1, 2, 4]), "padding": padding, "dilation": dilation}
    texts = {name: repr(value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value) for name, value in given.items()}
    count = random.randint(0, 4)
    named = [
        f"{name}={text}"
        for name, text in list(texts.items())[count:]
        if text != ("0" if name == "padding" else "1") or name == "kernel_size"
    ]
    random.shuffle(named)
    separator = random.choice([", ", ",", ",\n        ", ",  # more\n        "])
    end = random.choice(["", ",", "\n    ", ",  # last\n    "])
    return f"nn.Conv2d({separator.join([str(channels), '4', *list(texts.values())[:count], *named])}{end})"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_random_networks(model_file, seed):
    """No edit is taken back: what is predicted of a network whose layers are all written once holds for its edited file."""
    random = Random(seed)
    layers = [random_layer(random, 4 if index else 3) for index in range(random.randint(4, 10))]
    layers[0] = f"nn.Conv2d(3, 4, {random.choice(['3, 2, 1', '7, stride=2, padding=3', '4, 4'])})"
    path = model_file("model = nn.Sequential(\n" + "".join(f"    {layer},\n" for layer in layers) + ")\n")
    fixing = fixed(path, random.choice([16, 32, (32, 16)]), unsafe=bool(seed % 2), diff=True)
    assert not [reason for fix in fixing.left for reason in fix.reasons if reason.startswith("taken back")]
    assert not [fix for fix in fixing.left if fix.name == "crop-kernels"]
