from __future__ import annotations

import io

import pytest
from rich.console import Console
from torch import nn

from rfcheck import UnknownNameError, analyze
from rfcheck.report.tables import print_explanation, print_layers, status


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 4, (1, 3), padding=(0, 1))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x)
        x = self.last(x + self.conv(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture(scope="module")
def analysis():
    return analyze(Residual(), 16)


def printed(function, *args) -> str:
    stream = io.StringIO()
    function(*args, Console(file=stream, width=80, highlight=False))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


LAYERS = """\
layer         kind      k/s  channels  out      r_in     r  params   FLOPs  status
──────────────────────────────────────────────────────────────────────────────────
stem          conv      3/2       3:4    8         1     3     112  6.91 k  ok
conv          conv      3/1       4:4    8         3     7     148  9.22 k  ok
last          conv    1x3/1       4:4    8       3-7  7x11      52  3.07 k  ok
mean          pool                       1  3x7-7x11   inf                  head
head          linear              4:2    1       inf   inf      10       8  head

whole model                                                    322  19.2 k
k/s: kernel and stride, d: dilation; channels: in:out; out: size of the output
map; r_in: what the layer's input sees, along the smallest and the largest path;
r: what its output sees at most, all in pixels; status: ok (productive),
unproductive, tail, unknown, or the role of a layer that is not judged"""

EXPLANATION = """\
last at 16x16: r_min 3x7, r_max 7x11; its input sees 3-7 px

path of r_min (2 layers)
layer           k  s  d  jump  r_min
────────────────────────────────────
stem            3  2  1     2      3
last          1x3  1  1     2    3x7

path of r_max (3 layers)
layer           k  s  d  jump  r_max
────────────────────────────────────
stem            3  2  1     2      3
conv            3  1  1     2      7
last          1x3  1  1     2   7x11"""


def test_the_table_of_layers(analysis):
    assert printed(print_layers, analysis.layers, analysis.network.total) == LAYERS


def test_the_two_paths(analysis):
    assert printed(print_explanation, analysis, "last") == EXPLANATION


def test_an_unknown_layer(analysis):
    with pytest.raises(UnknownNameError, match="no layer 'lst'; did you mean last?"):
        print_explanation(analysis, "lst", Console(file=io.StringIO()))


def test_status_words():
    layers = analyze(nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(7))), (1, 8, 8)).layers
    assert [status(layer) for layer in layers] == ["ok"] * 4 + ["tail"] * 3
