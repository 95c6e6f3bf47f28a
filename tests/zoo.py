"""Models of the zoos without weights, and what torch's own counter says about them."""

from __future__ import annotations

import timm
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

CLASSIFIERS: list[str] = models.list_models(module=torchvision.models)


def resolution_of(name: str) -> int:
    """The resolution that a torchvision classifier was published at."""
    return 299 if name == "inception_v3" else 224


def torchvision_model(name: str, **arguments: object) -> nn.Module:
    """A torchvision model on the meta device, in eval mode."""
    if name in ("googlenet", "inception_v3"):
        arguments.setdefault("init_weights", False)
    if name.startswith("regnet"):  # computes its widths with tensors
        return models.get_model(name, weights=None, **arguments).to("meta").eval()
    with torch.device("meta"):
        return models.get_model(name, weights=None, **arguments).eval()


def timm_model(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A timm model in eval mode, and the input size (C, H, W) it was made for; on the meta device if it can be built there."""
    try:
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False).eval()
    except (NotImplementedError, RuntimeError):
        model = timm.create_model(name, pretrained=False).eval()
    return model, tuple(model.default_cfg["input_size"])


def detector(name: str, **thresholds: float) -> nn.Module:
    """A torchvision detector with data, in eval mode, the same each time: what it selects decides how its forward goes on."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return models.get_model(name, weights=None, weights_backbone=None, **thresholds).eval()


def counted_flops(model: nn.Module, *input_size: int) -> float:
    """Multiply-accumulates by torch's counter, which takes each as two operations."""
    device = next(model.parameters()).device
    model.requires_grad_(False)  # parameters that are passed to modules would make the counter follow gradients
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(torch.empty(1, *input_size, device=device))
    return counter.get_total_flops() / 2


def parameter_count(model: nn.Module) -> int:
    """Elements of all parameters, shared ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters())
