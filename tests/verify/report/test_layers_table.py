from __future__ import annotations

import io
import math
import re
from dataclasses import replace

from rich.console import Console

from rfcheck.verify.conclusions import Judgement
from rfcheck.verify.report.layers_table import SHOWN, print_measured_layers
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import LONG, RESNET, VGG, analysis_of, run_of


def rows(judgement: Judgement, width: int = 80) -> list[list[str]]:
    """Cells of the table, without its head."""
    stream = io.StringIO()
    print_measured_layers(judgement, Console(file=stream, width=width, highlight=False))
    lines = stream.getvalue().splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("──"))
    end = next(i for i, line in enumerate(lines) if line.startswith("r_in:"))
    return [re.split(r" {2,}", line.strip()) for line in lines[rule + 1 : end]]


def key(judgement: Judgement) -> str:
    stream = io.StringIO()
    print_measured_layers(judgement, Console(file=stream, width=400, highlight=False))
    text = stream.getvalue()
    return " ".join(text[text.index("r_in: ") :].split())


def test_a_row_per_layer():
    shown = rows(RESNET.judgement)
    assert [row[0] for row in shown] == [measured.layer.name for measured in RESNET.judgement.layers]
    for row, measured in zip(shown, RESNET.judgement.layers, strict=True):
        accuracy = measured.accuracy
        assert row[2] == f"{100 * accuracy.value:.1f} [{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]"
        assert float(row[3]) == 100 * measured.saturation


def test_marks_behind_the_status():
    statuses = {row[0]: row[-1] for row in rows(RESNET.judgement)}
    assert statuses["layer1.0.conv1"] == "ok"
    assert statuses["layer2.1.conv2"] == "unproductive"
    assert statuses["layer3.0.conv2"] == "tail, b_min, plateau"
    assert statuses["layer4.0.conv1"] == "tail, skipped"
    assert statuses["fc"] == "head"


def test_skipped_layers_are_explained_where_there_are_any():
    assert key(RESNET.judgement).endswith("; skipped: its probe falls below that of the layer that feeds it")
    assert "skipped" not in key(VGG.judgement)


def test_an_unknown_receptive_field_and_accuracy():
    measured = SMALL.judgement.layers[1]
    unknown = replace(measured, layer=replace(measured.layer, r_in_min=None, productive=None, in_tail=False), skipped=False)
    judgement = replace(SMALL.judgement, layers=(unknown,), plateau=None, variants=(replace(SMALL.judgement.variants[1]),))
    assert rows(judgement) == [["b", "?", "?", "?", "unknown"]]


def test_long_networks_are_folded():
    layers = LONG.judgement.layers
    shown = rows(LONG.judgement)
    assert len(layers) > 150 > SHOWN >= len(shown)
    counted = 0
    for row in shown:
        name, _, more = row[0].partition(" (+")
        group = layers[counted : counted + 1 + int(more.rstrip(")") or 0)]
        assert group[0].layer.name == name
        counted += len(group)
        if more:
            low, high = (f"{100 * end([one.accuracy.value for one in group]):.1f}" for end in (min, max))
            assert row[2] == (low if low == high else f"{low}-{high}")
            assert len({one.layer.in_tail for one in group}) == 1
            assert not any(one.layer.name == LONG.judgement.plateau for one in group)
    assert counted == len(layers)
    assert "all of which are in report.json" in key(LONG.judgement)


def test_a_folded_row():
    (row,) = [row for row in rows(LONG.judgement) if row[0] == "layer3.1.conv3 (+9)"]
    assert row == ["layer3.1.conv3 (+9)", "35-67", "59.1-62.0", "60.5", "6 ok, 4 unproductive"]


def test_folding_with_unknown_numbers():
    layers = [replace(one, saturation=math.nan) for one in LONG.judgement.layers]
    layers[5] = replace(layers[5], accuracy=replace(layers[5].accuracy, value=math.nan))
    shown = rows(replace(LONG.judgement, layers=tuple(layers)))
    assert {row[3] for row in shown} == {"?"}
    assert shown[2][2] == rows(LONG.judgement)[2][2]


def test_networks_that_fit_are_not_folded():
    judgement = run_of(analysis_of("resnet34", 32), "resnet34").judgement
    assert len(judgement.layers) == 37 <= SHOWN
    assert len(rows(judgement)) == 37
