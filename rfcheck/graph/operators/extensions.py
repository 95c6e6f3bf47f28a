"""Operators of packages beside torch's own set."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Global, Sampling, Table

_SELECTION = "selects positions by their content"

EXTENSIONS: Table = {
    "torchvision::nms": Global(_SELECTION),
    "torchvision::roi_align": Global(_SELECTION),
    "torchvision::roi_pool": Global(_SELECTION),
    "torchvision::ps_roi_align": Global(_SELECTION),
    "torchvision::ps_roi_pool": Global(_SELECTION),
    "torchvision::deform_conv2d": Sampling("reads at positions that it computes itself", by_offsets=True),
}
