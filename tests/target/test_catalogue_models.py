"""Models of catalogues."""

from __future__ import annotations

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.catalogue_models import timm_model, torchvision_model
from rfcheck.target.spec import parse_target


def test_models_without_data():
    target = torchvision_model(parse_target("torchvision:alexnet(num_classes=4)"))
    assert (target.label, target.path) == ("torchvision:alexnet(num_classes=4)", None)
    assert target.build()[0].classifier[-1].weight.shape[0] == 4
    pytest.importorskip("timm")
    assert timm_model(parse_target("timm:lcnet_035")).build()[1]
    with pytest.raises(TargetError, match="timm:lcnet_03: timm has no model 'lcnet_03'; did you mean"):
        timm_model(parse_target("timm:lcnet_03"))
