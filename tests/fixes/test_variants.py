import pytest

from rfcheck import Settings, analyze
from rfcheck.fixes.variants import fix_of, is_variant_of
from rfcheck.report.fix_line import best_option


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("truncate", "truncate"),
        ("truncate-before", "truncate-before"),
        ("truncate-before-2", "truncate-before"),
        ("move-downsampling-12", "move-downsampling"),
    ],
)
def test_the_fix_behind_a_name(name, fix):
    assert fix_of(name) == fix
    assert is_variant_of(name, fix)


@pytest.mark.parametrize(
    ("name", "fix", "expected"),
    [
        ("truncate", "truncate", True),
        ("truncate-2", "truncate", True),
        ("truncate-before", "truncate", False),
        ("truncate-before-2", "truncate-before", True),
        ("remove-stem", "truncate", False),
    ],
)
def test_a_longer_name_is_another_fix(name, fix, expected):
    assert is_variant_of(name, fix) is expected


def test_a_finding_recommends_only_what_its_rule_names():
    import torchvision

    analysis = analyze(torchvision.models.resnet101(num_classes=10), 32, settings=Settings(select=("RF601",)))
    assert {"truncate", "truncate-before", "truncate-before-2"} <= {fix.name for fix in analysis.fixes}
    (finding,) = analysis.findings
    assert finding.fixes == ("truncate",)
    best = best_option(analysis.fixes, finding.fixes)
    assert best is not None
    assert best.startswith("truncate: ")
