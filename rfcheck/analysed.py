"""What rfcheck knows of a model: `Analysis`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx
from torch import nn

from rfcheck.alone import alone
from rfcheck.analysis import cost
from rfcheck.analysis.layers import Extents, Layer
from rfcheck.analysis.network import Network
from rfcheck.analysis.range_moves import range_moves
from rfcheck.analysis.receptive_field import path_to
from rfcheck.config import Settings
from rfcheck.errors import UnknownNameError
from rfcheck.graph.orientation import how_it_was_read, how_results_come
from rfcheck.input_size import crossed
from rfcheck.linting.finding import Finding
from rfcheck.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.proposing import Proposals


@dataclass(frozen=True, repr=False)
class Analysis:
    """What rfcheck knows about a model at one input size.

    Attributes:
        name: how the model is called.
        network: all facts.
        findings: what the rules found, in the order of the layers.
        model: the model itself, for its fixes; they are those of the model as it was analysed.
        settings: what decided numbers and findings.
    """

    name: str
    network: Network
    findings: tuple[Finding, ...]
    model: nn.Module
    settings: Settings

    @cached_property
    def proposals(self) -> Proposals:
        """What can be done about the model, and why the other fixes do not apply; worked out when first asked for."""
        from rfcheck.fixes.proposing import propose
        from rfcheck.fixes.subject import Subject

        return alone(self.model, lambda: propose(Subject(self.model, self.network, self.settings)))

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Every fix that applies, with what it will do."""
        return self.proposals.fixes

    @property
    def graph(self) -> nx.DiGraph:
        """The traced graph: one source "input", nodes in execution order, plain attributes."""
        return self.network.graph

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every convolution, pooling, linear and recurrent call, in execution order."""
        return self.network.layers

    @property
    def border_min(self) -> Layer | None:
        """b_min: the first layer of the tail; None if there is no tail. Source: Richter 2022, section 10.2."""
        name = self.network.border.b_min
        return None if name is None else self.network.layer(name)

    @property
    def border_max(self) -> Layer | None:
        """b_max: the first judged layer whose largest path sees more than the image. Source: Richter 2022, section 9.3."""
        name = self.network.border.b_max
        return None if name is None else self.network.layer(name)

    @property
    def tail(self) -> tuple[Layer, ...]:
        """The unproductive layers with nothing productive behind them."""
        return tuple(layer for layer in self.layers if layer.in_tail)

    @property
    def unproductive(self) -> tuple[Layer, ...]:
        """All unproductive layers, those of the tail included."""
        return tuple(layer for layer in self.layers if layer.productive is False)

    @property
    def flops(self) -> int:
        """Multiply-accumulates of one forward pass at batch size 1."""
        return self.network.total.flops

    @property
    def params(self) -> int:
        """Parameters of the model, each counted once."""
        return self.network.total.params

    @property
    def activation_bytes(self) -> int:
        """Bytes of all tensors that a forward pass at batch size 1 allocates."""
        return self.network.total.activation_bytes

    @property
    def input_size(self) -> tuple[int, ...]:
        """Image extent per axis, in pixels."""
        return self.network.input_size

    @property
    def resolution_range(self) -> tuple[Extents | None, Extents | None]:
        """Lowest image without an unproductive layer and highest that the last map sees whole, in pixels per axis.

        They hold for the graph at the analysed size; `range_moves` says where the graph at these sizes is another one.
        """
        return self.network.resolution_range

    @cached_property
    def range_moves(self) -> tuple[str, ...]:
        """Sentences on ends of `resolution_range` that are elsewhere by the graph at that size; worked out when first asked for."""
        return alone(self.model, lambda: tuple(range_moves(self.model, self.network, self.settings)))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What had to be assumed: how the input was read, what is unknown or wraps round.

        Texts like "input: 1x16000 is read as (N, L), without a dimension for channels", where it is not (N, C, *axes), and "layer:
        operator: assumption", of unknown operators, and once of what wraps round.
        """
        read = how_it_was_read(self.graph)
        unknown: tuple[str, ...] = tuple(filter(None, (read, how_results_come(self.graph))))
        unknown += tuple(f"{op.name}: {op.operator}: {op.assumption}" for op in self.network.unknown)
        first, *more = (*self.network.wrapping, "")
        if not first:
            return unknown
        node = self.graph._node[first]
        operator, first = ("roll", first) if node["wraps"] else ("circular padding", node["module"] or first)
        others = f", here and in {len(more) - 1} more of its modules" if more[1:] else ""
        return (*unknown, f"{first}: {operator}: what comes from the other end counts as lying beyond the border{others}")

    @property
    def traced_with(self) -> str:
        """How the forward pass was recorded: "meta", "fake" or "real"."""
        return str(self.graph.graph["traced_with"])

    def layer(self, name: str) -> Layer:
        """The layer of a name.

        Raises:
            UnknownNameError: if there is none; names the near ones.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise self._unknown_name(name, [layer.name for layer in self.layers], "layer")

    def path(self, layer: str, bound: Literal["min", "max"]) -> list[str]:
        """The layers of the path that attains r_min or r_max of a layer.

        Where axes differ, the axis with the smallest (for "min") or largest (for "max") bound decides. Where r_max is the hull of
        several paths, the widest of them is named.

        Args:
            layer: name of a layer or of any node of the graph.
            bound: "min" or "max".

        Returns:
            Names of the convolutions, poolings, linear and recurrent layers from the input to the layer, the layer included;
            empty if its receptive field is unknown.

        Raises:
            UnknownNameError: if there is no such layer.
        """
        if layer not in self.graph:
            raise self._unknown_name(layer, [x.name for x in self.layers], "layer")
        if bound not in ("min", "max"):
            raise UnknownNameError(f"the bound must be 'min' or 'max', got {bound!r}")
        names = {x.name for x in self.layers}
        return [node for node in path_to(self.network.fields, layer, bound) if node in names]

    @staticmethod
    def _unknown_name(name: str, known: list[str], what: str) -> UnknownNameError:
        return UnknownNameError(f"no {what} {name!r}; {did_you_mean(name, known, 'the first are ' + ', '.join(known[:5]), 3)}")

    def flops_by_operator(self) -> dict[str, int]:
        """Multiply-accumulates per operator, largest first."""
        return cost.flops_by_operator(self.graph)

    def flops_by_module(self) -> dict[str, int]:
        """Multiply-accumulates per module with its sub-modules, largest first; "" is the whole model."""
        return cost.flops_by_module(self.graph)

    def to_dict(self) -> dict[str, Any]:
        """The analysis as plain data, in the versioned structure that ``--output-format json`` prints."""
        from rfcheck.report.json_v1 import analysis_to_dict

        return analysis_to_dict(self)

    def to_json(self) -> str:
        """The analysis as JSON text; unbounded receptive fields are the string "inf", unknown ones null."""
        from rfcheck.report.json_v1 import dump

        return dump(self.to_dict())

    def to_frame(self) -> pandas.DataFrame:
        """The layers as a pandas.DataFrame, one row per layer and the fields of `Layer` as columns."""
        import pandas

        return pandas.DataFrame([asdict(layer) for layer in self.layers])

    def plot(self) -> Figure:
        """The judged layers as a matplotlib figure, which notebooks show: what their inputs see of I, b_min, b_max, tail and FLOPs.

        ``figure.savefig("layers.png")`` writes it to a file.
        """
        from rfcheck.report.layers_plot import layers_figure

        border, total = self.network.border, self.network.total.flops
        return layers_figure(
            self.layers,
            name=self.name,
            input_size=self.input_size,
            border_min=border.b_min,
            border_max=border.b_max,
            tail_share=self.network.tail_cost.flops / total if total else 0.0,
        )

    def _repr_html_(self) -> str:
        from rfcheck.report.html import analysis_to_html

        return analysis_to_html(self)

    def __repr__(self) -> str:
        size = crossed(self.input_size)
        border = self.network.border.b_min
        return f"<Analysis of {self.name} at {size}: {len(self.layers)} layers, b_min {border}, {len(self.findings)} findings>"
