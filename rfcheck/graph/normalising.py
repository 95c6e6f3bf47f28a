"""Normalisation written out: a map less its own mean, over its own deviation or norm.

Normalisation rescales a map with statistics of itself and adds no context, whether it is a module of torch's or arithmetic in a
forward (instance and layer normalisation by hand, filter response normalisation, GRN, F.normalize over positions). So the
statistics of a map are followed through arithmetic, and where they meet the map again they only weigh it, as a gate does.
What goes through a layer on the way, meets another map, or is added is context, and stays so.
"""

from __future__ import annotations

import math

from rfcheck.graph.calls import Edge, Gathered
from rfcheck.graph.records import OpRecord, TensorArg

_MEANS = frozenset({"mean", "var", "std", "var_mean", "std_mean", "norm", "linalg_vector_norm"})
_RANGES = frozenset({"amax", "amin", "max", "min", "aminmax"})
_MEANS_OF_POWERS = frozenset({"sum", "linalg__powsum"})
"""A sum is a statistic where it adds powers, so that it is a norm, or is divided by the number of what it adds, so that it is a
mean; weights that are made to sum to one are attention."""
_POOLINGS = frozenset({"_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", "adaptive_max_pool2d"})
_ARITHMETIC = frozenset({"elementwise", "activation", "norm", "dropout", "join", "multiply"})
_RESCALING = frozenset({"sub", "rsub", "mul", "div", "addcmul", "addcdiv"})
_ADDING = frozenset({"add", "addcmul", "addcdiv"})


class Statistics:
    """Follows which values are statistics of which maps, record by record."""

    def __init__(self) -> None:
        self._origins: dict[int, int] = {}  # of values that are arithmetic of one map: that map
        self._roots: dict[int, frozenset[int]] = {}  # of statistics: the maps they describe
        self._powers: set[int] = set()
        self._sums: dict[int, tuple[frozenset[int], int]] = {}  # of sums: the maps, and how many entries each sum has
        self._lowering: set[int] = set()  # statistics that lower a map where they are added: b - mean * a

    def follow(self, record: OpRecord, gathered: Gathered) -> None:
        """Take note of the results of a call, and mark the inputs of it that only rescale."""
        edges = gathered.edges
        if not edges or isinstance(record.func, str) or gathered.parts is not None:
            return
        name = record.func._opname.removesuffix("_")
        if gathered.kind in _ARITHMETIC:
            self._combine(name, record, edges)
        elif gathered.kind == "rearrange":
            self._move(record, edges[0].value)
        elif gathered.kind in ("pool", "reduce"):
            self._reduce(name, record, gathered)

    def _origin(self, value: int) -> int:
        return self._origins.get(value, value)

    def _reduce(self, name: str, record: OpRecord, gathered: Gathered) -> None:
        source = gathered.edges[0].value
        roots = self._roots.get(source)
        if roots is None:
            if name in _POOLINGS:
                counts = max(gathered.attributes.get("adaptive", (2,))) == 1
            else:
                counts = name in _MEANS or name in _RANGES or (name in _MEANS_OF_POWERS and source in self._powers)
            if gathered.kind == "pool":
                roots = frozenset((self._origin(source),)) if counts else None
                if name == "sum" and roots is None:
                    added, entries = self._sums.get(source, (frozenset((self._origin(source),)), 1))
                    self._sums[record.outputs[0].value] = added, entries * _entries(record)
            elif gathered.kind == "reduce":  # of channels: still a map
                self._keep(record, self._origin(source), is_power=source in self._powers)
        if roots is not None:
            self._roots.update((out.value, roots) for out in record.outputs)

    def _move(self, record: OpRecord, source: int) -> None:
        roots = self._roots.get(source)
        if roots is not None:
            self._note(record, roots, lowers=source in self._lowering)
        elif record.tensors and math.prod(record.outputs[0].shape) == math.prod(record.tensors[0].shape):
            self._keep(record, self._origin(source), is_power=source in self._powers)

    def _combine(self, name: str, record: OpRecord, edges: list[Edge]) -> None:
        summed = self._sums.get(edges[0].value) if len(edges) == 1 else None
        if summed is not None and _is_divided_by(name, record, summed[1]):
            self._note(record, summed[0], lowers=False)
            return
        found = [self._roots.get(edge.value) for edge in edges]
        roots = [one for one in found if one is not None]
        if len(roots) == len(edges):
            self._note(record, frozenset().union(*roots), lowers=self._is_lowering(name, record, edges))
            return
        origins = {self._origin(edge.value) for edge, one in zip(edges, found, strict=True) if one is None}
        for edge, one in zip(edges, found, strict=True):
            is_added = name == "add" or (name in _ADDING and edge.value == record.tensors[0].value)
            rescales = edge.value in self._lowering if is_added else name in _RESCALING
            if one is not None and rescales and one <= origins:
                edge.gate = True
        if len(origins) == 1:
            self._keep(record, next(iter(origins)), is_power=self._is_power(name, record))

    def _keep(self, record: OpRecord, origin: int, *, is_power: bool) -> None:
        for out in record.outputs:
            self._origins[out.value] = origin
            if is_power:
                self._powers.add(out.value)

    def _note(self, record: OpRecord, roots: frozenset[int], *, lowers: bool) -> None:
        for out in record.outputs:
            self._roots[out.value] = roots
            if lowers:
                self._lowering.add(out.value)

    def _is_lowering(self, name: str, record: OpRecord, edges: list[Edge]) -> bool:
        """Whether a statistic comes with a minus: subtracted from a constant, negated, or a multiple of such a one."""
        subtracted = record.args[0 if name == "rsub" else -1] if name in ("sub", "rsub") else None
        if name == "neg" or (len(edges) == 1 and isinstance(subtracted, TensorArg) and subtracted.value is not None):
            return not any(edge.value in self._lowering for edge in edges)
        return any(edge.value in self._lowering for edge in edges)

    def _is_power(self, name: str, record: OpRecord) -> bool:
        if name == "mul":
            values = [arg.value if isinstance(arg, TensorArg) else None for arg in record.args]
            return values[0] is not None and values[0] == values[1]
        if name == "pow":
            exponent = record.args[1]
            return isinstance(exponent, (int, float)) and exponent % 2 == 0
        kept = name in ("_to_copy", "clone", "detach") and record.tensors[0].value in self._powers
        return kept or name in ("square", "abs")


def _entries(record: OpRecord) -> int:
    """How many entries of a tensor are added up to one of the result."""
    return math.prod(record.tensors[0].shape) // max(math.prod(record.outputs[0].shape), 1)


def _is_divided_by(name: str, record: OpRecord, count: int) -> bool:
    """Whether a call makes means of sums: it divides them by the number of their entries, or multiplies them accordingly."""
    number = record.args[1] if len(record.args) > 1 else None
    if not isinstance(number, (int, float)):
        return False
    return (name == "div" and number == count) or (name == "mul" and math.isclose(number * count, 1))
