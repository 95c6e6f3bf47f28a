"""An operator that nobody knows and that keeps the shape of its input."""

import torch


@torch.library.custom_op("rfcheck_strange::strange", mutates_args=())
def strange(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@strange.register_fake
def _(x):
    return torch.empty_like(x)
