from __future__ import annotations

import pytest
from torch import nn

from rfcheck.cli.analysing import BuiltTarget, analyze_target, contained, print_error
from rfcheck.config import Settings
from rfcheck.errors import TargetError, TraceError
from rfcheck.target.load import Target, load_targets

PLAIN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        print("built on", torch.empty(0).device)
        self.conv = nn.Conv2d(3, 3, 3)
    def forward(self, x):
        print("forward")
        return self.conv(x)
"""
READS_WEIGHTS = PLAIN.replace("return self.conv(x)", "return self.conv(x) if self.conv.weight.sum().item() < 1e9 else x")


def target_of(text: str) -> Target:
    (target,) = load_targets(text)
    return target


def net(model_file, code: str) -> Target:
    return target_of(f"{model_file(code)}:Net")


def test_one_size(model_file):
    target = net(model_file, PLAIN)
    analysis = analyze_target(target, (3, 8, 12), Settings())
    assert (analysis.name, analysis.input_size, analysis.traced_with) == ("Net", (8, 12), "meta")


def test_a_catalogue_model_goes_by_its_name():
    assert analyze_target(target_of("torchvision:squeezenet1_1"), 64, Settings()).name == "squeezenet1_1"


def test_many_sizes_of_one_model(model_file, capsys):
    built = BuiltTarget(net(model_file, PLAIN), Settings())
    assert [built.analyze(size).input_size for size in (8, 16, 24)] == [(8, 8), (16, 16), (24, 24)]
    assert capsys.readouterr().err.count("built on") == 1


def test_what_a_model_prints_goes_to_standard_error(model_file, capsys):
    analyze_target(net(model_file, PLAIN), 8, Settings())
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("built on meta\nforward\n")


def test_a_model_that_reads_its_weights_is_built_with_data_once(model_file, capsys):
    built = BuiltTarget(net(model_file, READS_WEIGHTS), Settings())
    assert [len(built.analyze(size).layers) for size in (8, 16, 24)] == [1, 1, 1]
    places = [line for line in capsys.readouterr().err.splitlines() if line.startswith("built on")]
    assert places == ["built on meta", "built on cpu"]


def test_fvcore_counts_on_data(model_file, capsys):
    analysis = analyze_target(net(model_file, PLAIN), 8, Settings(flops_by="fvcore"))
    assert analysis.flops == 3 * 3 * 9 * 36
    assert "built on cpu" in capsys.readouterr().err


def test_a_forward_that_fails_for_other_reasons_is_not_tried_again(model_file, capsys):
    built = BuiltTarget(net(model_file, PLAIN), Settings())
    with pytest.raises(TraceError) as caught:
        built.analyze(2)
    assert str(caught.value).startswith("the forward pass fails at input 3x2x2 in layer conv (Conv2d), which received ")
    assert "built on cpu" not in capsys.readouterr().err
    assert built.analyze(3).input_size == (3, 3)


def test_a_constructor_that_fails():
    def make(on_meta: bool) -> nn.Module:
        raise ValueError("too deep")

    with pytest.raises(TargetError) as caught:
        BuiltTarget(Target("model.py:Net", None, None, make), Settings())
    assert str(caught.value).startswith("model.py:Net: building the model fails: ValueError: too deep (")


@pytest.mark.parametrize("verbose", [False, True])
def test_errors_are_one_line_unless_more_is_asked_for(capsys, verbose):
    try:
        raise TargetError("model.py: no such file")
    except TargetError as error:
        print_error(str(error), error, verbose=verbose)
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert printed.out == ""
    assert lines[0] == "error: model.py: no such file"
    assert (len(lines) > 1) is verbose
    if verbose:
        assert lines[1] == "Traceback (most recent call last):"
        assert lines[-1] == "rfcheck.errors.TargetError: model.py: no such file"


REPLACED = """
import sys
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
    def forward(self, x):
        return self.conv(x)
    def {method}(self, *_args, **_settings):
        {statement}
"""


@pytest.mark.parametrize(
    ("method", "statement", "said"),
    [
        ("named_modules", "raise ValueError('none')", "ValueError: none (model.py:12: raise ValueError('none'))"),
        ("named_parameters", "sys.exit(0)", "SystemExit(0), as sys.exit does (model.py:12: sys.exit(0))"),
        ("__hash__", "raise BaseException", "BaseException (model.py:12: raise BaseException)"),
    ],
)
def test_a_method_that_a_target_has_replaced_fails_for_it_alone(run, model_file, method, statement, said):
    model_file(REPLACED.format(method=method, statement=statement))
    model_file("model = nn.Conv2d(3, 7, 3)\n", "other.py")
    code, out, err = run("model.py:Net", "other.py", "--resolution", "8", "--no-cache", "--output", "concise")
    assert (code, err) == (2, f"error: model.py:Net: its code left with {said}\n")
    assert out.startswith("other.py:3: RF104")


def test_an_error_of_rfcheck_itself_is_none_of_the_target():
    with pytest.raises(ZeroDivisionError):
        contained("model.py:Net", lambda: 1 / 0)
    with pytest.raises(KeyboardInterrupt):
        contained("model.py:Net", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
