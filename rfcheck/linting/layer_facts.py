"""The facts of one layer that rules see, whatever the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rfcheck.input_size import crossed

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Layer

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def sized(values: Sequence[float] | None) -> str:
    """Per-axis values as people write them: "32" for a square, "32x48" otherwise, "unknown" for None.

    Where some axes are unbounded and some are not, what is unbounded comes in words: "the whole height x 46".
    """
    if values is None:
        return "unknown"
    if all(map(math.isinf, values)):
        return "unbounded"
    texts = [f"{v:g}" for v in values if not math.isinf(v)]
    names = AXIS_NAMES.get(len(values), tuple(f"axis {i}" for i in range(len(values))))
    whole = [name for name, value in zip(names, values, strict=True) if math.isinf(value)]
    text = texts[0] if len(set(texts)) == 1 and not whole else "x".join(texts)
    return f"the whole {' and '.join(whole)} x {text}" if whole else text


LAYER_FACTS: dict[str, Callable[[Layer], Any]] = {
    "name": lambda x: x.name,
    "kind": lambda x: x.kind,
    "role": lambda x: x.role,
    "module_type": lambda x: x.module_type,
    "judged": lambda x: x.judged,
    "known": lambda x: x.r_in_min is not None,
    "productive": lambda x: x.productive is True,
    "unproductive": lambda x: x.productive is False,
    "in_tail": lambda x: x.in_tail,
    "kernel": lambda x: crossed(x.kernel or ()),
    "stride": lambda x: crossed(x.stride or ()),
    "dilation": lambda x: crossed(x.dilation or ()),
    "in_size": lambda x: crossed(x.in_size),
    "out_size": lambda x: crossed(x.out_size),
    "r_min": lambda x: sized(x.r_min),
    "r_max": lambda x: sized(x.r_max),
    "r_in_min": lambda x: sized(x.r_in_min),
    "r_in_max": lambda x: sized(x.r_in_max),
    "jump": lambda x: sized(x.jump),
    "live_taps": lambda x: 1.0 if x.live_taps is None else float(x.live_taps),
    "taps": lambda x: math.prod(x.kernel or (1,)),
    "live_tap_count": lambda x: round((1.0 if x.live_taps is None else x.live_taps) * math.prod(x.kernel or (1,))),
    "flops": lambda x: x.flops,
    "params": lambda x: x.params,
}
"""Name in a rule -> what it stands for."""
