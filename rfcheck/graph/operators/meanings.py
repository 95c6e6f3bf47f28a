"""What operators can mean: the kinds of gathering, which the tables beside this module give to operators."""

from __future__ import annotations

from dataclasses import dataclass

Extent = int | tuple[int, ...] | str
"""A number for all axes, a number per axis, or the name of the operator's argument that holds it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Every output reads a window of the input, over the last dimensions (N, C, *axes).

    Args:
        kernel: taps per image axis.
        stride: positions between neighbouring windows; None for the kernel's.
        dilation: positions between neighbouring taps.
        padding: positions added before the first; the output's shape decides what is added after the last.
        kind: how layers of this operator are listed.
    """

    kernel: Extent = 1
    stride: Extent | None = 1
    dilation: Extent = 1
    padding: Extent = 0
    kind: str = "pool"


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution, plain or transposed: a window over the image axes and all of a group's channels."""


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Every output reads its own position only.

    Args:
        kind: how nodes of this operator are listed.
        reason: why the operator is neutral for receptive fields.
        weights: "makes" if the result lies between 0 and 1 and can weigh a feature map (a gate), "keeps" if it does so when the
            input does, None otherwise.
    """

    kind: str = "elementwise"
    reason: str = "acts on each position by itself"
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Several inputs meet position by position: addition, products. ``gate`` for products, which may re-weigh a map."""

    gate: bool = False


@dataclass(frozen=True, slots=True)
class Concat:
    """Several inputs side by side along ``dim``."""


@dataclass(frozen=True, slots=True)
class Matmul:
    """A product of matrices: ``x`` and ``y`` are the positions of the factors among the arguments."""

    x: int = 0
    y: int = 1


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer over the last dimension, weight as second argument."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Scaled dot-product attention: query, key and value are the first three arguments.

    Args:
        tokens: the dimension that holds the tokens; the last holds features.
        is_block: whether the operator is a whole layer of a transformer: tokens attend to themselves, beside a way around it.
    """

    tokens: int = -2
    is_block: bool = False


@dataclass(frozen=True, slots=True)
class Reduce:
    """All values along the dimensions in argument ``dims`` become one; all dimensions where the argument is absent."""

    dims: str = "dim"


@dataclass(frozen=True, slots=True)
class Mix:
    """Every value along the dimension in argument ``dim`` reads all others (softmax, cumulative sums, sorting)."""

    dim: str = "dim"
    weights: str | None = None
    kind: str = "softmax"


@dataclass(frozen=True, slots=True)
class Transform:
    """A Fourier transform along the dimensions in argument ``dims``; the last of them may change its extent."""

    dims: str = "dim"


@dataclass(frozen=True, slots=True)
class Resample:
    """Interpolation to another size over the last dimensions, by ``mode``."""

    mode: str


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Pooling to a given output size; an axis pooled to one value is global."""


@dataclass(frozen=True, slots=True)
class Rearrange:
    """The same values elsewhere: views, permutations, slices, padding, shifts. ``how`` names the arrangement."""

    how: str


@dataclass(frozen=True, slots=True)
class Rounding:
    """Each value of the first argument is rounded to a grid; how wide the grid is may be a statistic, which adds no context."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Values of a tensor at computed places: gather, indexing, embedding. ``how`` names the way."""

    how: str


@dataclass(frozen=True, slots=True)
class Place:
    """Values written to computed places of a tensor: scatter, masked and indexed writes. ``how`` names the way."""

    how: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Values at the places that a grid holds, or that offsets of a kernel's taps lead to.

    Args:
        reason: why the receptive field is unknown where nothing bounds the places, for the report.
        by_offsets: whether the places are offsets.
    """

    reason: str
    by_offsets: bool = False


@dataclass(frozen=True, slots=True)
class Matrices:
    """The matrices in the last two dimensions are read as wholes: inverses, decompositions, solutions."""


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances of the rows of one matrix from the rows of another."""


@dataclass(frozen=True, slots=True)
class RandomWindow:
    """Pooling by windows of random place, to a given output size."""


@dataclass(frozen=True, slots=True)
class Unpool:
    """Pooled values back at the places that the pooling took them from."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A comparison of two maps, position by position or reduced to one value."""


@dataclass(frozen=True, slots=True)
class Global:
    """Every output reads all positions.

    Args:
        reason: why, for the report.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recurrent:
    """A recurrent layer: every step reads all steps along the sequence dimension; other dimensions stay apart."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """An operator that is known to be unknowable: its receptive field is reported as unknown.

    Args:
        reason: why, for the report.
    """

    reason: str


Meaning = (
    Window
    | Convolution
    | Pointwise
    | Join
    | Concat
    | Matmul
    | Linear
    | Attention
    | Reduce
    | Mix
    | Transform
    | Resample
    | Adaptive
    | Rearrange
    | Rounding
    | Lookup
    | Place
    | Sampling
    | Matrices
    | Distances
    | RandomWindow
    | Unpool
    | Loss
    | Global
    | Recurrent
    | Opaque
)

Table = dict[str, Meaning]
"""Qualified operator name -> meaning."""


def entries(names: str, meaning: Meaning) -> Table:
    """The same meaning for several of torch's own operators, given by their names without namespace."""
    return {f"aten::{name}": meaning for name in names.split()}
