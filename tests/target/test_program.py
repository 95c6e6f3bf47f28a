from __future__ import annotations

import copy

import pytest
import torch

from rfcheck import analyze
from rfcheck.errors import TraceError
from rfcheck.target.listing import Listing, Run, Scope, Step
from rfcheck.target.program import Program, ProgramError

CONV = torch.ops.aten.conv2d.default


def conv(run: Run) -> None:
    run.values["y"] = CONV(run.values["x"], run.values["w"], None, [2, 2])


def flat(run: Run) -> None:
    run.values["z"] = run.values["y"].view(1, 4 * 15 * 15)


def listing(*steps: Step, **changes) -> Listing:
    given = {
        "type": "Net",
        "source": "program",
        "remedy": "export it anew",
        "input_name": "x",
        "input_sizes": (1, 3, 32, 32),
        "steps": steps,
        "outputs": ("z",),
        "parameters": {"stem.conv.weight": torch.empty(4, 3, 3, 3, device="meta"), "unused.0.bias": torch.empty(7, device="meta")},
        "buffers": {"stem.count": torch.empty((), dtype=torch.int64, device="meta")},
        "tensors": {"w": "stem.conv.weight", "n": "stem.count"},
        "constants": {},
        "modules": {"stem.act": "ReLU"},
        "attributes": {"stem.conv": {"kernel_size": (3, 3), "in_channels": 3}},
    }
    return Listing(**{**given, **changes})


STEM = (Scope("stem", "Sequential", "stem"), Scope("stem.conv", "Conv2d", "stem.conv"))
STEPS = (Step("conv2d", STEM, "x", conv), Step("view", (), "y", flat))


def test_parts_stand_for_modules():
    program = Program(listing(*STEPS))
    assert {name: type(module).__name__ for name, module in program.named_modules()} == {
        "": "Net",
        "stem": "Sequential",
        "stem.act": "ReLU",
        "stem.conv": "Conv2d",
        "unused": "Module",
        "unused.0": "Module",
    }
    assert {name: tuple(p.shape) for name, p in program.named_parameters()} == {
        "stem.conv.weight": (4, 3, 3, 3),
        "unused.0.bias": (7,),
    }
    assert [name for name, _ in program.named_buffers()] == ["stem.count"]
    assert not any(type(module).__module__.startswith("torch.nn.modules") for module in program.modules())


def test_it_is_analysed_like_a_module():
    analysis = analyze(Program(listing(*STEPS)), 32)
    assert list(analysis.graph) == ["input", "stem.conv", "view"]
    (layer,) = analysis.layers
    assert (layer.name, layer.module_type, layer.kernel, layer.stride, layer.params) == ("stem.conv", "Conv2d", (3, 3), (2, 2), 108)
    assert layer.flops == 4 * 15 * 15 * 27
    assert analysis.params == 108 + 7
    assert analysis.graph.graph["calls"] == {"": 1, "stem": 1, "stem.conv": 1}


def test_its_outputs_are_those_of_the_file():
    program = Program(listing(*STEPS, outputs=("z", "y", "missing")))
    assert [tuple(t.shape) for t in program(torch.empty(1, 3, 32, 32, device="meta"))] == [(1, 900), (1, 4, 15, 15)]


def test_a_copy_works():
    program = copy.deepcopy(Program(listing(*STEPS)))
    assert analyze(program, 32).flops == 4 * 15 * 15 * 27


def test_another_size_fails_with_the_size_that_the_file_was_made_for():
    program = Program(listing(*STEPS))
    message = "view: shape '[1, 900]' is invalid for input of size 3844; the program was made for 3x32x32: export it anew"
    with pytest.raises(ProgramError) as caught:
        program(torch.empty(1, 3, 64, 64, device="meta"))
    assert str(caught.value) == message


def test_at_its_own_size_nothing_is_said_about_sizes():
    program = Program(
        listing(
            Step("view", (), "x", lambda run: run.values["x"].view(5)),
        )
    )
    with pytest.raises(ProgramError) as caught:
        program(torch.empty(1, 3, 32, 32, device="meta"))
    assert str(caught.value) == "view: shape '[5]' is invalid for input of size 3072"


def test_a_file_for_several_images_says_so():
    program = Program(
        listing(*STEPS[:1], Step("view", (), "y", lambda run: run.values["y"].view(7, -1)), input_sizes=(8, 3, None, 32))
    )
    with pytest.raises(ProgramError, match=r"the program was made for 3xanyx32 and 8 images: export it anew$"):
        program(torch.empty(1, 3, 33, 32, device="meta"))


def test_an_input_of_other_dimensions_is_refused():
    with pytest.raises(ProgramError, match="^the program takes an input of 4 dimensions, not of 3$"):
        Program(listing(*STEPS))(torch.empty(1, 3, 32, device="meta"))


def test_what_depends_on_values_is_said_plainly():
    program = Program(listing(Step("nonzero", (), "x", lambda run: run.values.update(z=torch.nonzero(run.values["x"])))))
    with pytest.raises(ProgramError) as caught:
        program(torch.empty(1, 3, 32, 32, device="meta"))
    assert str(caught.value) == "nonzero: what it returns depends on values, which a file is read without"


def test_the_analysis_names_layer_and_shape():
    failing = Step("conv2d", STEM, "x", lambda run: CONV(run.values["x"], run.values["w"], None, [1, 1], [0, 0], [40, 40]))
    with pytest.raises(TraceError) as caught:
        analyze(Program(listing(failing)), 32)
    assert str(caught.value).startswith(
        "the forward pass fails at input 3x32x32 in layer stem.conv (Conv2d), which received a tensor of shape 1x3x32x32: "
        "ProgramError: conv2d: Calculated padded input size per channel: (32 x 32)."
    )


@pytest.mark.parametrize("name", ["forward", "training", "float", "type", "_modules", "a.forward.b"])
def test_names_that_modules_use_themselves_do_no_harm(name):
    scopes = tuple(Scope(path, "T", path) for path in (name,))
    program = Program(
        listing(
            Step("conv2d", scopes, "x", conv),
            tensors={"w": f"{name}.weight"},
            parameters={f"{name}.weight": torch.empty(4, 3, 3, 3, device="meta")},
            buffers={},
            attributes={},
            outputs=("y",),
        )
    )
    analysis = analyze(program, 32)
    assert [(layer.name, layer.params) for layer in analysis.layers] == [(name, 108)]


def test_no_tensor_holds_data():
    program = Program(listing(*STEPS))
    assert all(tensor.is_meta for tensor in (*program.parameters(), *program.buffers()))
