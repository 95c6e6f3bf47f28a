"""Where probes stop improving, and which layers are skipped.

Source: Richter 2022, sections 4.3 and 9.3 and appendix C.
"""

from __future__ import annotations

from rfcheck.verify.conclusions import Gain
from rfcheck.verify.verdict.evidence import improves
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.probed import Probed


def plateau(probes: Probed, relevant_gain: float) -> Gain | None:
    """The first judged layer from which no later probe improves, and what the best later one gains on it.

    The head is no part of it: its layers combine what the last feature map holds, and are not judged.

    Args:
        probes: of the judged layers.
        relevant_gain: smallest difference of accuracies that counts.

    Returns:
        The gain whose reference is that layer; None where the last layer still improves on all before it, or there are fewer than
        two.
    """
    for name in probes.names[:-1]:
        gain = probes.gain(name, probes.after(name))
        if gain is not None and not improves(gain.difference, relevant_gain):
            return gain
    return None


def gain_before_border(probes: Probed, border: str, tail: tuple[str, ...], flow: Flow) -> Gain | None:
    """By how much the best probe of the tail exceeds the best of those that the border layer reads: the price of a cut before it.

    Args:
        probes: of the judged layers.
        border: b_min.
        tail: names of the tail's layers.
        flow: which layers the border layer reads.
    """
    before = probes.known(flow.reads.get(border, ()))
    return probes.gain(probes.best(before), probes.known(tail)) if before else None


def gain_after_border(probes: Probed, border: str, tail: tuple[str, ...], flow: Flow) -> Gain | None:
    """By how much the best probe of the tail behind the border layer exceeds that of the border layer: the price of a cut after it.

    Where the output of the border layer is joined with others, as by the shortcut of a residual block, a cut behind the join keeps
    them too. So it is compared with the best of all that the next layers read, as far as it comes from before the tail.

    Args:
        probes: of the judged layers.
        border: b_min.
        tail: names of the tail's layers.
        flow: which layers each reads.
    """
    if border not in probes.names:
        return None
    joined = {layer for reads in flow.reads.values() if border in reads for layer in reads}
    kept = probes.known({border, *joined.difference(tail)})
    return probes.gain(probes.best(kept), tuple(name for name in probes.known(tail) if name != border))


def skipped_layers(probes: Probed, flow: Flow, relevant_gain: float) -> frozenset[str]:
    """The layers that the features pass by: their probes fall, and later ones recover, be it in the head.

    A probe has fallen if one that feeds the layer is better by a relevant amount and beyond doubt. Where what feeds it
    may be passed by itself, so may be its fall: what feeds that layer is compared with, too, so that a slow decay beside a long
    shortcut is seen as one. A layer that every path goes through cannot be skipped.

    Args:
        probes: of the judged layers.
        flow: which layers each reads, and which may be passed by.
        relevant_gain: smallest difference of accuracies that counts.
    """
    feeding: dict[str, tuple[str, ...]] = {}
    skipped: set[str] = set()
    for name in probes.names:
        reads = flow.reads.get(name, ())
        further = (source for layer in reads if layer in flow.bypassed for source in feeding.get(layer, ()))
        feeding[name] = probes.known((*reads, *further))
        if name not in flow.bypassed:
            continue
        fall = probes.gain(name, feeding[name])
        recovery = probes.gain(name, (*probes.after(name), *probes.head))
        if fall and recovery and improves(fall.difference, relevant_gain) and improves(recovery.difference, relevant_gain):
            skipped.add(name)
    return frozenset(skipped)
