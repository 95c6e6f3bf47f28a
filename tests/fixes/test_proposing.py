from __future__ import annotations

import re

import pytest
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.proposing import FIXES, Proposals, known_names, propose
from tests.fixes.networks import ResNet, chain, conv, subject_of

NAMES = ["crop-kernels", "truncate", "truncate-before", "remove-stem", "move-downsampling", "pool-head"]


def test_every_fix_has_a_name_and_says_whether_it_is_safe():
    assert known_names() == NAMES
    assert [module.SAFE for module in FIXES] == [True, False, False, False, False]


def test_names_of_variants_are_added_once():
    assert known_names(["truncate", "move-downsampling-2"]) == [*NAMES, "move-downsampling-2"]


@pytest.mark.parametrize(
    ("model", "size", "applies"),
    [
        (ResNet(), 16, ["truncate-before", "remove-stem", "move-downsampling"]),
        (ResNet(), 64, []),
        (ResNet(), 4, ["crop-kernels", "truncate", "truncate-before", "remove-stem"]),
        (nn.Sequential(conv(3, 4), nn.Flatten(), nn.Linear(256, 3)), 8, ["pool-head"]),
        (chain(6), 8, ["truncate", "truncate-before"]),
    ],
)
def test_each_name_is_a_fix_or_skipped_with_a_reason(model, size, applies):
    proposals = propose(subject_of(model, size))
    found = {fix.name for fix in proposals.fixes}
    assert found & set(NAMES) == set(applies)
    assert {skipped.name for skipped in proposals.skipped} == set(NAMES) - found
    assert all(skipped.reason for skipped in proposals.skipped)
    assert all(fix.safe == (fix.name == "crop-kernels") for fix in proposals.fixes)


PROPOSALS = propose(subject_of(ResNet(), 16))


def test_a_fix_by_its_name():
    fix = PROPOSALS.named("remove-stem")
    assert isinstance(fix, Fix)
    assert fix.name == "remove-stem"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pool-head", "pool-head does not apply: the head is not tied to one resolution"),
        ("trunctate", "no fix 'trunctate'; did you mean truncate or truncate-before?"),
        ("move-downsampling-2", "no fix 'move-downsampling-2'; did you mean move-downsampling?"),
        ("xyz", f"no fix 'xyz'; fixes are {', '.join(NAMES)}"),
    ],
)
def test_names_that_are_no_fix(name, message):
    with pytest.raises(FixError, match=f"^{re.escape(message)}$"):
        PROPOSALS.named(name)


def test_variants_are_near_names():
    variant = Fix("remove-stem-2", False, "", *[None] * 3, (16, 16))
    with pytest.raises(FixError, match=re.escape("no fix 'remove-stem-3'; did you mean remove-stem-2 or remove-stem?")):
        Proposals((variant,), (Skipped("truncate", "no"),)).named("remove-stem-3")


def test_a_fix_that_fails_on_a_model_leaves_the_others(monkeypatch):
    def fails(subject):
        raise KeyError("layer9")

    monkeypatch.setattr(FIXES[1], "propose", fails)
    proposals = propose(subject_of(ResNet(), 16))
    assert [fix.name for fix in proposals.fixes] == ["remove-stem", "move-downsampling"]
    reason = "rfcheck cannot work it out for this model (KeyError: 'layer9')"
    assert proposals.skipped[1:3] == (Skipped("truncate", reason), Skipped("truncate-before", reason))
