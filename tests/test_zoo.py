"""Sweeps over the zoos: every model is analysed, and counts agree with torch's own counter."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rfcheck import Analysis, analyze
from tests.zoo import CLASSIFIERS, counted_flops, detector, parameter_count, resolution_of, timm_model, torchvision_model

FAST = {
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v3_small", "resnet18",
    "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "vit_b_32",
}  # fmt: skip
"""Torchvision classifiers that stand for their families outside the slow sweep."""

SEGMENTERS = [
    "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet101", "deeplabv3_resnet50", "fcn_resnet101", "fcn_resnet50",
    "lraspp_mobilenet_v3_large",
]  # fmt: skip

# Frames, height and width.
VIDEO = {
    "mc3_18": (16, 112, 112),
    "mvit_v1_b": (16, 224, 224),
    "mvit_v2_s": (16, 224, 224),
    "r2plus1d_18": (16, 112, 112),
    "r3d_18": (16, 112, 112),
    "s3d": (16, 224, 224),
    "swin3d_b": (16, 224, 224),
    "swin3d_s": (16, 224, 224),
    "swin3d_t": (16, 224, 224),
}

DETECTORS = [
    "fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2", "fcos_resnet50_fpn", "keypointrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
]  # fmt: skip

# r of the last judged layer along the height: extent of the rows of pixels in which a NaN reaches the middle unit of a large image,
# in a real forward pass with the squeeze-and-excitation modules removed. Owes nothing to a formula.
R_BY_PROPAGATION = {
    "convformer_s18": 1719, "convmixer_768_32": 1351, "convnext_tiny": 1688, "cs3darknet_focus_s": 314, "cspresnet50": 427,
    "densenet121": 2071, "dla34": 623, "dpn68": 615, "ecaresnet26t": 199, "ese_vovnet19b_dw": 427, "fasternet_t0": 456,
    "fastvit_t8": 1455, "ghostnet_050": 1171, "hrnet_w18_small": 583, "inception_next_atto": 1504, "legacy_xception": 1083,
    "mambaout_femto": 1719, "mixnet_s": 1339, "mobilenetv4_conv_small": 943, "nfnet_f0": 807, "regnety_002": 543,
    "repvgg_a0": 535, "res2net50d": 1135, "resnet18": 435, "resnet50d": 431, "resnetaa34d": 929, "resnetblur18": 495,
    "rexnet_100": 507, "selecsls42": 471, "seresnet18": 435, "starnet_s1": 3039, "tf_efficientnet_b0": 851, "tresnet_m": 732,
}  # fmt: skip

# No r to compare with: attention, gates that are not modules of their own, normalisation over positions.
OTHER_TIMM = [
    "beit_base_patch16_224", "botnet26t_256", "caformer_s18", "cait_xxs24_224", "coat_lite_tiny", "coatnet_0_224", "convit_tiny",
    "convnextv2_atto", "crossvit_9_240", "davit_tiny", "deit_tiny_distilled_patch16_224", "edgenext_xx_small",
    "efficientformer_l1", "efficientvit_m0", "eva02_tiny_patch14_224", "gcvit_xxtiny", "gmlp_ti16_224", "halonet26t",
    "hiera_tiny_224", "inception_v4", "levit_128s", "maxvit_tiny_tf_224", "mixer_s32_224", "mobilevit_xxs", "mobilevitv2_050",
    "nextvit_small", "poolformer_s12", "pvt_v2_b0", "rdnet_tiny", "resmlp_12_224", "resnest14d", "sequencer2d_s", "skresnet18",
    "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "tiny_vit_5m_224", "tnt_s_patch16_224", "twins_svt_small",
    "vit_tiny_patch16_224", "volo_d1_224", "xcit_nano_12_p8_224",
]  # fmt: skip


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail where an analysis that should take a second takes much longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def last_r_max(analysis: Analysis) -> tuple[float, ...] | None:
    return [layer for layer in analysis.layers if layer.judged][-1].r_max


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CLASSIFIERS])
def test_torchvision_classifier(name):
    model = torchvision_model(name)
    size = resolution_of(name)
    analysis = analyze(model, size)
    assert analysis.assumptions == ()
    assert analysis.traced_with == "meta"
    assert analysis.params == parameter_count(model)
    assert analysis.flops == counted_flops(model, 3, size, size)
    assert last_r_max(analysis) is not None


def test_all_classifiers_are_in_the_sweep():
    assert len(CLASSIFIERS) >= 80
    assert set(CLASSIFIERS) >= FAST


@pytest.mark.slow
@pytest.mark.parametrize("name", SEGMENTERS)
def test_torchvision_segmenter(name):
    model = torchvision_model(name, weights_backbone=None)
    analysis = analyze(model, 224)
    assert (analysis.assumptions, analysis.traced_with) == ((), "meta")
    assert analysis.flops == counted_flops(model, 3, 224, 224)
    assert last_r_max(analysis) is not None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), VIDEO.items())
def test_torchvision_video_model(name, size):
    model = torchvision_model(name)
    analysis = analyze(model, (3, *size))
    assert (analysis.assumptions, analysis.traced_with) == ((), "meta")
    assert analysis.flops == counted_flops(model, 3, *size)
    assert last_r_max(analysis) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTORS)
def test_torchvision_detector(name):
    """Which boxes remain decides how a detector goes on, so only a real forward pass gets through."""
    analysis = analyze(detector(name), 320)
    assert (analysis.assumptions, analysis.traced_with) == ((), "real")
    judged = [layer for layer in analysis.layers if layer.judged]
    assert all(layer.r_max is not None for layer in judged)
    assert any("bbox" in layer.name or "head" in layer.name for layer in judged)


@pytest.mark.slow
@pytest.mark.parametrize("threshold", ["rpn_score_thresh", "box_score_thresh"])
@pytest.mark.parametrize("name", ["maskrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn"])
def test_a_detector_that_finds_nothing(name, threshold):
    """No score is above one, so that the heads see an empty batch of boxes."""
    analysis = analyze(detector(name, **{threshold: 1.1}), 320)
    assert (analysis.assumptions, analysis.traced_with) == ((), "real")
    assert all(layer.r_max is not None for layer in analysis.layers if layer.judged)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*R_BY_PROPAGATION, *OTHER_TIMM])
def test_timm_model(name):
    model, size = timm_model(name)
    with at_most(60):
        analysis = analyze(model, size)
    assert analysis.traced_with == "meta"
    assert analysis.params == parameter_count(model)
    assert analysis.flops == counted_flops(model, *size)
    r_max = last_r_max(analysis)
    if name in R_BY_PROPAGATION:
        assert r_max is not None
        assert r_max[0] == R_BY_PROPAGATION[name]
    assert analysis.assumptions == ()
    assert r_max is not None


@pytest.mark.slow
def test_time_stays_bounded_where_maps_are_resized_again_and_again():
    """CSATv2 pools maps to 7x7 and interpolates them back in every stage, so that no two units read alike."""
    model, size = timm_model("csatv2")
    with at_most(60):
        analysis = analyze(model, size)
    assert analysis.assumptions == ()
